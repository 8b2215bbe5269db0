"""The outbox's SQLite file: one transaction per batch, each with a FULL fsync. Synchronous.

Used by one thread (outbox.py's writer). Every statement here makes one step in SQLite: CPython
gives the interpreter lock up around each step and may wait 5 ms to have it back while the event
loop is busy, so that `executemany` of 128 rows took 70 ms where one statement takes 14 (measured).
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from edge_agent.event import Event, Klass

APPLICATION_ID = 0x50545243  # "PTRC"
SCHEMA = 1
LANE_SHIFT = 56
SOS, CUSTODY, EVENT, TELEMETRY = range(4)  # lanes: what leaves first
LANES = range(4)
ROW_OVERHEAD = 80  # bytes of a row beside topic and payload, indexes included
MAX_THINNED = 2  # a record whose neighbours went twice goes next
THIN_ROWS = 512  # rows looked at in one step of thinning
RESERVE = 4 << 20  # bytes set aside, given back to the disk when it is full

VACUUM_PAGES = 2000  # 8 MB: tens of ms

_CHUNKS = (64, 8, 1)  # rows per INSERT: few texts, so that SQLite keeps them prepared
_INSERT = "INSERT OR IGNORE INTO record VALUES "
_IDS = "(SELECT value FROM json_each(?))"
_VALUES = "(?,?,?,?,?,?,?,?,?,?,?,0)"
_ROWS = (
    "json_group_array("
    "json_array(id, topic, hex(payload), sender, boot, seq, qos, retain, sos, state, at))"
)


class StoreFault(OSError):
    """The disk did not take a record. One sentence: what, where, remedy."""


class ForeignFile(sqlite3.DatabaseError):
    """A database, but not this agent's, or of another version."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bytes a lane may hold on disk; SOS and custody have no bound."""

    event: int = 256 << 20
    telemetry: int = 256 << 20
    quarantine_rows: int = 1000


class Held(NamedTuple):
    """A record and its number. `id` is unique in the file and rises within a lane."""

    id: int
    event: Event

    @property
    def lane(self) -> int:
        return self.id >> LANE_SHIFT

    @property
    def size(self) -> int:
        """Bytes on disk, about."""
        return len(self.event.topic) + len(self.event.payload) + ROW_OVERHEAD


class Count(NamedTuple):
    rows: int
    bytes: int


Work = Callable[[sqlite3.Connection], Any]


@dataclass(slots=True)
class Batch:
    """What goes into one transaction."""

    inserts: list[Held] = field(default_factory=list[Held])
    deletes: list[Held] = field(default_factory=list[Held])
    works: list[tuple[Work, Future[Any]]] = field(default_factory=list[tuple[Work, Future[Any]]])
    pinned: tuple[int, ...] = (0, 0, 0, 0)  # per lane: newest id in memory, not to be thinned


def vacuum(db: sqlite3.Connection) -> None:
    """Give pages that are free back to the disk, some at a time. A work for Outbox.do."""
    db.execute(f"PRAGMA incremental_vacuum({VACUUM_PAGES})").fetchall()


def lane_of(event: Event) -> int:
    """SOS before custody, though both are the class that is never dropped."""
    if event.klass is Klass.SOS:
        return CUSTODY if event.sos is None else SOS
    return EVENT if event.klass is Klass.EVENT else TELEMETRY


class Store:
    """`open`, then `apply` batches. sqlite3.Error and OSError pass through to the caller."""

    def __init__(self, path: Path, bounds: Bounds) -> None:
        self.path = path
        self.bounds = bounds
        self.tally: dict[int, Count] = dict.fromkeys(LANES, Count(0, 0))
        self.commits = 0
        self._db: sqlite3.Connection | None = None
        self._thinned_to = dict.fromkeys(LANES, 0)
        self._lane_bounds = {EVENT: bounds.event, TELEMETRY: bounds.telemetry}

    @property
    def db(self) -> sqlite3.Connection:
        if self._db is None:
            raise StoreFault(f"{self.path}: not open")
        return self._db

    # -- the file ------------------------------------------------------------------------------

    def open(self) -> None:
        """Open or create. sqlite3.DatabaseError when the file is damaged or someone else's."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(
            self.path,
            isolation_level=None,
            check_same_thread=False,
            timeout=5,
            cached_statements=64,
        )
        try:
            self._prepare(db)
        except BaseException:
            db.close()
            raise
        self._db = db
        for lane, rows, size in db.execute("SELECT lane, rows, bytes FROM tally"):
            self.tally[lane] = Count(rows, size)
        _sync_directory(self.path.parent)
        self._lay_reserve()

    def _prepare(self, db: sqlite3.Connection) -> None:
        (owner,) = db.execute("PRAGMA application_id").fetchone()
        (schema,) = db.execute("PRAGMA user_version").fetchone()
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and (owner, schema) != (APPLICATION_ID, SCHEMA):
            raise ForeignFile(f"application_id {owner}, schema {schema}: not this agent's")
        if not tables:
            db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA journal_size_limit = 8388608")  # bytes the log keeps after a burst
        if not tables:
            sql = resources.files("edge_agent").joinpath("outbox.sql").read_text("utf-8")
            db.executescript(
                f"BEGIN; {sql}; PRAGMA application_id = {APPLICATION_ID};"
                f"PRAGMA user_version = {SCHEMA}; COMMIT;"
            )

    def attach(self) -> None:
        """Open a file that is only read, whatever state it is in."""
        self._db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def set_aside(self, stamp: str) -> Path:
        """Rename the database and its log, so that a new one can be made. Returns the new name."""
        self.close()
        aside = self.path.with_name(f"{self.path.name}.aside-{stamp}")
        for suffix in ("", "-wal", "-shm"):
            part = self.path.with_name(self.path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
        self.tally = dict.fromkeys(LANES, Count(0, 0))
        return aside

    @property
    def _reserve(self) -> Path:
        return self.path.with_name(self.path.name + ".reserve")

    def _lay_reserve(self) -> None:
        """Fill the reserve: on a full disk even a DELETE needs room in the log."""
        if not self._reserve.exists():
            with contextlib.suppress(OSError):  # no room for it: then it is not given back either
                descriptor = os.open(self._reserve, os.O_CREAT | os.O_WRONLY, 0o600)
                try:
                    os.posix_fallocate(descriptor, 0, RESERVE)
                finally:
                    os.close(descriptor)

    def make_room(self, pinned: tuple[int, ...]) -> bool:
        """On a full disk: spend the reserve on thinning telemetry; its pages take what comes next.

        Returns False when nothing could be gained.
        """
        had = self._reserve.exists()
        self._reserve.unlink(missing_ok=True)
        self._shrink_log()
        before = now = self.tally[TELEMETRY].bytes
        for _ in range(8):  # small transactions: each writes the log as long as what it frees
            then = now
            with self._transaction():
                while now > then - RESERVE // 4 and self._thin(TELEMETRY, pinned[TELEMETRY]):
                    now = self.tally[TELEMETRY].bytes
            self._shrink_log()
            if now == then:
                break
        if now < before:
            self._lay_reserve()
        return had or now < before

    def _shrink_log(self) -> None:
        self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    # -- batches -------------------------------------------------------------------------------

    def apply(self, batch: Batch) -> None:
        """All of the batch in one transaction, durable on return; all of it undone on error."""
        with self._transaction():
            outcomes = [(future, self._work(work)) for work, future in batch.works]
            self._insert(batch.inserts)
            self._delete(batch.deletes)
            for lane, bound in self._lane_bounds.items():
                while self.tally[lane].bytes > bound and self._thin(lane, batch.pinned[lane]):
                    pass
        for future, (result, error) in outcomes:
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

    @contextlib.contextmanager
    def _transaction(self) -> Generator[None, None, None]:
        before = dict(self.tally)
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
            for lane in LANES:
                if self.tally[lane] != before[lane]:
                    self.db.execute(
                        "UPDATE tally SET rows = ?, bytes = ? WHERE lane = ?",
                        (*self.tally[lane], lane),
                    )
            self.db.execute("COMMIT")
        except BaseException:
            self.tally = before
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise
        self.commits += 1

    def _work(self, work: Work) -> tuple[Any, Exception | None]:
        """A room's own statements, in a savepoint: its mistake must not undo other rooms' work."""
        self.db.execute("SAVEPOINT work")
        try:
            result = work(self.db)
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError, ValueError, LookupError) as error:
            self.db.execute("ROLLBACK TO work")
            self.db.execute("RELEASE work")
            return None, error
        self.db.execute("RELEASE work")
        return result, None

    def _insert(self, held: list[Held]) -> None:
        """Write the records; one that is there already (taken over from a damaged file) is left."""
        at = new = 0
        for chunk in _CHUNKS:
            sql = _INSERT + ",".join([_VALUES] * chunk)
            while len(held) - at >= chunk:
                values: list[Any] = []
                for number, event in held[at : at + chunk]:
                    values += (number, event.topic, event.payload, event.sender, event.boot)
                    values += (event.seq, event.qos, event.retain, event.sos, event.state, event.at)
                new += self.db.execute(sql, values).rowcount
                at += chunk
        self._count_all(held, new, 1)
        for one in held:
            if one.event.sos is not None and one.event.state == "updated":
                self._supersede(one)

    def _supersede(self, newest: Held) -> None:
        """Of one SOS only raise, newest update and cancel are kept (DESIGN, section 4)."""
        older = self.db.execute(
            "DELETE FROM record WHERE sos = ? AND sender = ? AND state = 'updated' AND id < ?"
            " RETURNING id, sender, boot, seq, at, length(topic) + length(payload)",
            (newest.event.sos, newest.event.sender, newest.id),
        ).fetchall()
        self._dropped(older, Klass.SOS, "superseded")

    def _delete(self, held: list[Held]) -> None:
        if not held:
            return
        gone = self.db.execute(
            f"DELETE FROM record WHERE id IN {_IDS}",
            (json.dumps([one.id for one in held]),),
        ).rowcount
        self._count_all(held, gone, -1)

    def _count_all(self, held: list[Held], changed: int, sign: int) -> None:
        """Count the records in or out; where not all of them changed, count what is there."""
        if changed == len(held):
            for one in held:
                self._count(one.lane, sign, sign * one.size)
        else:
            for lane in {one.lane for one in held}:
                self._recount(lane)

    def _count(self, lane: int, rows: int, size: int) -> None:
        old = self.tally[lane]
        self.tally[lane] = Count(old.rows + rows, old.bytes + size)

    def _recount(self, lane: int) -> None:
        rows, size = self.db.execute(
            "SELECT count(*), coalesce(sum(length(topic) + length(payload)), 0) FROM record"
            " WHERE id >= ? AND id < ?",
            (lane << LANE_SHIFT, lane + 1 << LANE_SHIFT),
        ).fetchone()
        self.tally[lane] = Count(rows, size + rows * ROW_OVERHEAD)

    def _thin(self, lane: int, pinned: int) -> bool:
        """One step: halve the next THIN_ROWS from the oldest on, drop those halved often enough.

        Rows in memory (up to `pinned`) are left: they are the next to be sent.
        """
        first = max(pinned, self._thinned_to[lane], lane << LANE_SHIFT)
        rows = self.db.execute(
            "SELECT id, sender, boot, seq, at, length(topic) + length(payload), topic, thinned"
            " FROM record WHERE id > ? AND id < ? ORDER BY id LIMIT ?",
            (first, lane + 1 << LANE_SHIFT, THIN_ROWS),
        ).fetchall()
        if not rows:  # once through: begin again at the oldest, unless there is nothing at all
            again, self._thinned_to[lane] = self._thinned_to[lane] > 0, 0
            return again
        self._thinned_to[lane] = rows[-1][0]
        worn, drop, keep = halve(rows)
        gone = json.dumps([row[0] for row in worn + drop])
        left = json.dumps([row[0] for row in keep])
        self.db.execute(f"DELETE FROM record WHERE id IN {_IDS}", (gone,))
        self.db.execute(f"UPDATE record SET thinned = thinned + 1 WHERE id IN {_IDS}", (left,))
        klass = Klass.EVENT if lane == EVENT else Klass.TELEMETRY
        self._dropped([row[:6] for row in drop], klass, "thinned")
        self._dropped([row[:6] for row in worn], klass, "full")
        return True

    def _dropped(self, rows: Iterable[tuple[Any, ...]], klass: Klass, why: str) -> None:
        for number, sender, boot, seq, at, size in rows:
            self._count(number >> LANE_SHIFT, -1, -size - ROW_OVERHEAD)
            self.db.execute(
                "INSERT INTO gap VALUES (?,?,?,?,?,?,1,?,?) ON CONFLICT DO UPDATE SET"
                " low = min(low, excluded.low), high = max(high, excluded.high),"
                " count = count + 1, since = min(since, excluded.since),"
                " until = max(until, excluded.until)",
                (sender, boot, klass, why, seq, seq, at, at),
            )

    # -- reading -------------------------------------------------------------------------------

    def page(self, lane: int, after: int, limit: int) -> list[Held]:
        """The next rows of a lane with id > after, in order; fetched in one step."""
        (rows,) = self.db.execute(
            f"SELECT {_ROWS} FROM (SELECT * FROM record WHERE id > ? AND id < ?"
            " ORDER BY id LIMIT ?)",
            (max(after, lane << LANE_SHIFT), lane + 1 << LANE_SHIFT, limit),
        ).fetchone()
        return [_held(row) for row in json.loads(rows)]

    def last_number(self) -> int:
        """The highest arrival number in the file, 0 when it is empty."""
        best = 0
        for lane in LANES:
            (top,) = self.db.execute(
                "SELECT max(id) FROM record WHERE id >= ? AND id < ?",
                (lane << LANE_SHIFT, lane + 1 << LANE_SHIFT),
            ).fetchone()
            if top is not None:
                best = max(best, top & (1 << LANE_SHIFT) - 1)
        return best


Rows = list[tuple[Any, ...]]


def halve(rows: Rows) -> tuple[Rows, Rows, Rows]:
    """(worn, drop, keep) of rows (…, topic, thinned): every second one of a topic is dropped."""
    worn = [row for row in rows if row[7] >= MAX_THINNED]
    drop: Rows = []
    keep: Rows = []
    odd: dict[str, bool] = {}
    for row in rows:
        if row[7] < MAX_THINNED:
            odd[row[6]] = not odd.get(row[6], False)
            (keep if odd[row[6]] else drop).append(row)
    return worn, drop, keep


def _held(row: list[Any]) -> Held:
    number, topic, payload, sender, boot, seq, qos, retain, sos, state, at = row
    lane = number >> LANE_SHIFT
    klass = Klass.SOS if lane <= CUSTODY else Klass(lane - 1)
    event = Event(
        topic, bytes.fromhex(payload), klass, sender, boot, seq, qos, bool(retain), sos, state, at
    )
    return Held(number, event)


def _sync_directory(folder: Path) -> None:
    """A new file's name is durable only once its directory is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
