"""SQLite behind the docks: every state with its custody event, in one durable transaction.

One Ledger is used by all bay threads (a lock) and, with others, by command line processes (BEGIN
IMMEDIATE). A docking that has ended has no say any more: a thread that hung in a read of a camera
that is long gone may wake up, but whatever it claims is refused with `Revoked`.
"""

from __future__ import annotations

import json
import sqlite3

from edge_agent.docks import custody
from edge_agent.docks.database import Database
from edge_agent.docks.rows import Docking, Recording, readable, recording_of
from edge_agent.docks.states import NEEDS_CAMERA, State, Step, after


class Revoked(Exception):
    """This docking is over; its camera was taken out."""


class Ledger(Database):
    """Dockings, recordings and their chunks."""

    # --- dockings

    def begin(self, bay: str, camera: str, label: str) -> Docking:
        """A camera is in `bay`. `label` is a file-name-safe short form of its serial."""
        with self.transaction() as db:
            at = self.now_ms()
            cursor = db.execute(
                "INSERT INTO docking (bay, camera, started_ms, bag) VALUES (?,?,?,'')",
                (bay, camera, at),
            )
            number = cursor.lastrowid
            assert number is not None
            bag = f"{number:06d}-{bay}-{label}"
            db.execute("UPDATE docking SET bag = ? WHERE id = ?", (bag, number))
            docking = Docking(number, bay, camera, at, None, None, bag, 0)
            self.note(db, State.DETECTED, {"camera": camera}, docking)
        self.on_journal()
        return docking

    def end(self, docking: Docking) -> None:
        """The camera left: what it still had to give is YANKED, and the docking's threads are out.

        What was copied to its last byte is finished without it.
        """
        with self.transaction() as db:
            done = db.execute(
                "UPDATE docking SET ended_ms = ? WHERE id = ? AND ended_ms IS NULL",
                (self.now_ms(), docking.id),
            )
            if not done.rowcount:
                return
            for row in self._of(db, docking):
                if row.state in (State.INVENTORIED, State.COPYING) and not row.all_here:
                    self._step(db, row, Step.GONE, {"copied": row.copied}, docking)
            self.note(db, State.EMPTY, {"camera": docking.camera}, docking)
        self.on_journal()

    def docking(self, number: int) -> Docking:
        with self._lock:
            row = self.db.execute("SELECT * FROM docking WHERE id = ?", (number,)).fetchone()
        return Docking(*row)

    def dockings(self, where: str = "1", *values: object) -> list[Docking]:
        with self._lock:
            rows = self.db.execute(f"SELECT * FROM docking WHERE {where} ORDER BY id", values)
            return [Docking(*row) for row in rows]

    def set_offset(self, docking: Docking, offset_s: int | None) -> None:
        with self.transaction() as db:
            db.execute("UPDATE docking SET offset_s = ? WHERE id = ?", (offset_s, docking.id))

    # --- recordings

    def enlist(
        self, recording: Recording, docking: Docking, rewritten: str | None = None
    ) -> Recording:
        """Make or find the recording; a free one that needs the camera is `docking`'s now.

        rewritten: how a new one was told from the one that had its name before.
        """
        with self.transaction() as db:
            self._still(db, docking)
            known = self._get(db, recording.id)
            if known is None:
                db.execute(
                    f"INSERT INTO recording VALUES ({','.join('?' * 19)})",
                    tuple(getattr(recording, name) for name in Recording.__slots__),
                )
                detail = _identity(recording)
                self.note(
                    db, State.INVENTORIED, {**detail, "state": True}, docking, None, recording.id
                )
                if rewritten:
                    told = {"why": rewritten, "path": readable(recording.path)}
                    self.note(db, "REWRITTEN", told, docking, None, recording.id)
                known = recording
            elif (
                known.state in NEEDS_CAMERA
                and not known.all_here
                and not self._claimed(db, known, docking)
            ):
                db.execute("UPDATE recording SET docking = ? WHERE id = ?", (docking.id, known.id))
            found = self._get(db, known.id)
        assert found is not None
        return found

    def advance(
        self,
        recording: str,
        step: Step,
        detail: custody.Detail | None = None,
        docking: Docking | None = None,
        **columns: object,
    ) -> State:
        """One step through the table, durable with its custody event.

        docking: whose thread asks; Revoked when that docking ended or the recording is another's.
        """
        with self.transaction() as db:
            row = self._get(db, recording)
            if row is None:
                raise KeyError(recording)
            if docking:
                self._still(db, docking)
                if row.docking != docking.id:
                    raise Revoked(f"recording {recording} is worked on in another bay")
            state = self._step(db, row, step, detail or {}, docking)
            for name, value in columns.items():
                db.execute(f"UPDATE recording SET {name} = ? WHERE id = ?", (value, recording))
        self.on_journal()
        return state

    def _step(
        self,
        db: sqlite3.Connection,
        row: Recording,
        step: Step,
        detail: custody.Detail,
        docking: Docking | None,
    ) -> State:
        state = after(row.state, step)
        db.execute("UPDATE recording SET state = ? WHERE id = ?", (state, row.id))
        whose = docking or self.docking(row.docking)
        self.note(db, state, {**detail, "state": True}, whose, None, row.id)
        return state

    def set(self, recording: str, **columns: object) -> None:
        """Columns that are no state: upload_url, held."""
        with self.transaction() as db:
            for name, value in columns.items():
                db.execute(f"UPDATE recording SET {name} = ? WHERE id = ?", (value, recording))

    def get(self, recording: str) -> Recording | None:
        with self._lock:
            return self._get(self.db, recording)

    def states(self, recordings: list[str]) -> dict[str, State]:
        """In one query: asked for every camera that is docked, every other second."""
        with self._lock:
            rows = self.db.execute(
                "SELECT id, state FROM recording WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps(recordings),),
            )
            return {number: State(state) for number, state in rows}

    def recordings(self, where: str = "1", *values: object) -> list[Recording]:
        with self._lock:
            rows = self.db.execute(
                f"SELECT * FROM recording WHERE {where} ORDER BY camera, path", values
            )
            return [recording_of(row) for row in rows]

    def of(self, docking: Docking) -> list[Recording]:
        with self._lock:
            return self._of(self.db, docking)

    def _of(self, db: sqlite3.Connection, docking: Docking) -> list[Recording]:
        rows = db.execute("SELECT * FROM recording WHERE docking = ? ORDER BY path", (docking.id,))
        return [recording_of(row) for row in rows]

    def _get(self, db: sqlite3.Connection, recording: str) -> Recording | None:
        row = db.execute("SELECT * FROM recording WHERE id = ?", (recording,)).fetchone()
        return recording_of(row) if row else None

    def _claimed(self, db: sqlite3.Connection, row: Recording, by: Docking) -> bool:
        """Whether a docking other than `by` still works on it."""
        ended = db.execute("SELECT ended_ms FROM docking WHERE id = ?", (row.docking,)).fetchone()
        return row.docking != by.id and ended[0] is None

    def _still(self, db: sqlite3.Connection, docking: Docking) -> None:
        row = db.execute("SELECT ended_ms FROM docking WHERE id = ?", (docking.id,)).fetchone()
        if row[0] is not None:
            raise Revoked(f"docking {docking.id} in {docking.bay} is over")

    # --- chunks

    def chunks(self, recording: str) -> list[tuple[int, bytes]]:
        """(end in bytes, SHA-256 of the file so far), ascending."""
        with self._lock:
            return self.db.execute(
                "SELECT end, prefix FROM chunk WHERE recording = ? ORDER BY end", (recording,)
            ).fetchall()

    def add_chunk(self, recording: str, docking: Docking, end: int, prefix: bytes) -> None:
        """Call only when the bytes up to `end` are on disk."""
        with self.transaction() as db:
            self._still(db, docking)
            db.execute("INSERT INTO chunk VALUES (?,?,?)", (recording, end, prefix))
            db.execute("UPDATE recording SET copied = ? WHERE id = ?", (end, recording))

    def drop_chunks(self, recording: str, beyond: int) -> None:
        """Forget what ends after `beyond` bytes: the part file does not hold it."""
        with self.transaction() as db:
            db.execute("DELETE FROM chunk WHERE recording = ? AND end > ?", (recording, beyond))
            db.execute("UPDATE recording SET copied = ? WHERE id = ?", (beyond, recording))


def _identity(recording: Recording) -> dict[str, str | int | bool | None]:
    return {
        "path": readable(recording.path),
        "path_hex": recording.path.hex(),
        "size": recording.size,
        "mtime_ns": recording.mtime_ns,
        "member": recording.member,
        "taken": recording.taken,
        "marked": recording.marked,
    }
