"""Batches in and out of the outbox's file: one transaction each, with a FULL fsync. Synchronous.

Used by one thread (outbox_writer.py's). Every statement here makes one step in SQLite: CPython
gives the interpreter lock up around each step and may wait 5 ms to have it back while the event
loop is busy, so that `executemany` of 128 rows took 70 ms where one statement takes 14 (measured).
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

from edge_agent.event import Event, Klass, Stamp
from edge_agent.outbox_file import RESERVE, DatabaseFile
from edge_agent.outbox_record import (
    CUSTODY,
    EVENT,
    LANE_SHIFT,
    LANES,
    ROW_OVERHEAD,
    TELEMETRY,
    Batch,
    Bounds,
    Count,
    Held,
    Work,
)
from edge_agent.outbox_thin import DROPPED, IDS, note_dropped, size_of, thin

VACUUM_PAGES = 2000  # 8 MB: tens of ms

_CHUNKS = (64, 8, 1)  # rows per INSERT: few texts, so that SQLite keeps them prepared
_INSERT = "INSERT OR IGNORE INTO record VALUES "
_VALUES = "(?,?,?,?,?,?,?,?,?,?,?,0,?)"
_ROWS = (
    "json_group_array("
    "json_array(id, topic, hex(payload), sender, boot, seq, qos, retain, sos, state, at, stamp))"
)


def vacuum(db: sqlite3.Connection) -> None:
    """Give pages that are free back to the disk, some at a time. A work for Outbox.do."""
    db.execute(f"PRAGMA incremental_vacuum({VACUUM_PAGES})").fetchall()


class Store(DatabaseFile):
    """`open`, then `apply` batches and read `page`s. sqlite3.Error and OSError pass through."""

    def __init__(self, path: Path, bounds: Bounds) -> None:
        super().__init__(path)
        self.bounds = bounds
        self.tally: dict[int, Count] = dict.fromkeys(LANES, Count(0, 0))
        self.commits = 0
        self._thinned_to = dict.fromkeys(LANES, 0)
        self._lane_bounds = {EVENT: bounds.event, TELEMETRY: bounds.telemetry}

    def open(self) -> None:
        super().open()
        for lane, rows, size in self.db.execute("SELECT lane, rows, bytes FROM tally"):
            self.tally[lane] = Count(rows, size)

    def set_aside(self, stamp: str) -> Path:
        self.tally = dict.fromkeys(LANES, Count(0, 0))
        return super().set_aside(stamp)

    def make_room(self, pinned: tuple[int, ...]) -> bool:
        """On a full disk: spend the reserve on thinning telemetry; its pages take what comes next.

        Returns False when nothing could be gained.
        """
        had = self.spend_reserve()
        self.shrink_log()
        before = now = self.tally[TELEMETRY].bytes
        for _ in range(8):  # small transactions: each writes the log as long as what it frees
            then = now
            with self._transaction():
                while now > then - RESERVE // 4 and self._thin(TELEMETRY, pinned[TELEMETRY]):
                    now = self.tally[TELEMETRY].bytes
            self.shrink_log()
            if now == then:
                break
        if now < before:
            self.lay_reserve()
        return had or now < before

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
        except Exception as error:
            if _of_the_disk(error):
                raise
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
                    values.append(event.stamp and json.dumps(event.stamp))
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
            f" RETURNING {DROPPED}",
            (newest.event.sos, newest.event.sender, newest.id),
        ).fetchall()
        self._uncount(older)
        note_dropped(self.db, older, Klass.SOS, "superseded")

    def _delete(self, held: list[Held]) -> None:
        if not held:
            return
        gone = self.db.execute(
            f"DELETE FROM record WHERE id IN {IDS}",
            (json.dumps([one.id for one in held]),),
        ).rowcount
        self._count_all(held, gone, -1)

    def _thin(self, lane: int, pinned: int) -> bool:
        """One step; False when there is nothing to be gained.

        Rows in memory (up to `pinned`) are left: they are the next to be sent.
        """
        upto, dropped = thin(self.db, lane, max(pinned, self._thinned_to[lane]))
        again = self._thinned_to[lane] > 0  # once through: begin again at the oldest
        self._thinned_to[lane] = upto
        self._uncount(dropped)
        return upto > 0 or again

    # -- tallies -------------------------------------------------------------------------------

    def _count_all(self, held: list[Held], changed: int, sign: int) -> None:
        """Count the records in or out; where not all of them changed, count what is there."""
        if changed == len(held):
            for one in held:
                self._count(one.lane, sign, sign * one.size)
        else:
            for lane in {one.lane for one in held}:
                self._recount(lane)

    def _uncount(self, dropped: Iterable[tuple[Any, ...]]) -> None:
        for row in dropped:
            self._count(row[0] >> LANE_SHIFT, -1, -size_of(row))

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


def _of_the_disk(error: Exception) -> bool:
    """Whether the disk says so (then nothing of the batch counts), and not the room's code."""
    if type(error) is sqlite3.DatabaseError:  # SQLITE_CORRUPT and SQLITE_NOTADB have no other
        return True
    return isinstance(error, sqlite3.OperationalError | sqlite3.InternalError | OSError)


def _held(row: list[Any]) -> Held:
    number, topic, payload, sender, boot, seq, qos, retain, sos, state, at, stamp = row
    lane = number >> LANE_SHIFT
    klass = Klass.SOS if lane <= CUSTODY else Klass(lane - 1)
    event = Event(
        topic, bytes.fromhex(payload), klass, sender, boot, seq, qos, bool(retain), sos, state, at,
        stamp and Stamp(*json.loads(stamp)),
    )  # fmt: skip
    return Held(number, event)
