"""One recording from INVENTORIED (or any fault) to SEALED, by the order of DESIGN: chunk data,
fdatasync, record; read-back; rename; directories; event. Cut anywhere, it goes on from there."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from edge_agent.docks import again, chunks, names, room, store
from edge_agent.docks.config import Family
from edge_agent.docks.ledger import Ledger, Revoked
from edge_agent.docks.rows import Docking, Recording, readable
from edge_agent.docks.source import Found, Source, fingerprint, recording_id
from edge_agent.docks.states import NEEDS_CAMERA, State, Step

GIVE_BACK = 4 * 1024 * 1024  # bytes
YANK_NOTICE_S = 2.0  # a read fails some time before the kernel says that the device is gone


@dataclass(frozen=True, slots=True)
class Ingest:
    """What every recording of one docking shares. `moved(recording, bytes)` is for the page."""

    ledger: Ledger
    store: store.Store
    docking: Docking
    claim: chunks.Claim
    source: Source
    families: tuple[Family, ...]
    chunk: int  # bytes
    sm3: bool
    moved: Callable[[Recording, int], None]
    whole: bool = False  # how a known file is looked at again: again.py
    carrier: str | None = None  # the member, where the file's name does not tell

    def enlist(self, found: Found) -> Recording:
        """The recording of a file on this camera; SourceFault when the camera cannot be asked.

        A file that was rewritten in place is another recording under the same name: numbered.
        """
        try:
            ends = fingerprint(self.source, found)
            number, rewritten = self._name(found, ends)
        except OSError as error:
            raise chunks.SourceFault(0, error.strerror or str(error)) from error
        parsed = names.parse(readable(found.path).rsplit("/", 1)[-1], self.families)
        return self.ledger.enlist(
            Recording(
                id=number,
                camera=self.docking.camera,
                path=found.path,
                size=found.size,
                mtime_ns=found.mtime_ns,
                fingerprint=ends,
                state=State.INVENTORIED,
                docking=self.docking.id,
                member=parsed.member or self.carrier,
                taken=parsed.taken,
                marked=parsed.marked,
            ),
            self.docking,
            rewritten,
        )

    def _name(self, found: Found, ends: str) -> tuple[str, str | None]:
        """Its id, and a sentence when other bytes were copied under the one before that."""
        why: str | None = None
        for n in count():
            number = recording_id(self.docking.camera, found, f"{ends} {n}" if n else ends)
            known = self.ledger.get(number)
            other = self._other(known, found) if known else None
            if other is None:
                return number, why
            why = other
        raise AssertionError("count() has no end")

    def _other(self, known: Recording, found: Found) -> str | None:
        marks = self.ledger.chunks(known.id)
        if self.whole:
            return again.whole(self.source, found, marks)
        placed = self.store.bags / known.file if known.file else None
        ours = placed if placed and placed.exists() else self.store.part(known.id)
        return again.sampled(self.source, found, ours, marks)

    def run(self, recording: str) -> State:
        """Bring the recording as far as it goes; the state it is in then.

        Raises Revoked; and what room.disk_full knows where not even NO_SPACE can be written down,
        or there is no room for its folder in the bag: to be called again.
        """
        row = self.ledger.get(recording)
        assert row is not None
        if row.state in NEEDS_CAMERA:
            fault = self._copy(row)
            if fault:
                return fault
        return finish(self.ledger, self.store, row.id, self.sm3)

    def _copy(self, row: Recording) -> State | None:
        part = self.store.part(row.id)
        start = chunks.check(part, self.ledger.chunks(row.id))
        self.ledger.drop_chunks(row.id, start.end)
        self._advance(row, Step.START, {"from": start.end, "reused": start.marks})
        try:
            self._fill(row, part, start)
        except (OSError, sqlite3.OperationalError) as error:
            if not room.disk_full(error, self.store.root):
                raise
            return self._full(row, part)
        except chunks.SourceFault as fault:
            if self.claim.revoked(YANK_NOTICE_S):
                raise Revoked("the camera is gone") from fault
            return self._advance(row, Step.UNREADABLE, {"at": fault.at, "why": str(fault)})
        return None

    def _fill(self, row: Recording, part: Path, start: chunks.Checked) -> None:
        fd = os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(fd, start.end)
            store.sync_folder(self.store.incoming)
            if start.end < row.size or not row.size:
                self._chunks(row, fd, start)
            os.fsync(fd)
        finally:
            os.close(fd)

    def _full(self, row: Recording, part: Path) -> State:
        """NO_SPACE. The last chunks are given back: the ledger and the other bays need room too."""
        ends = [end for end, _ in self.ledger.chunks(row.id)]
        keep = max((end for end in ends if end <= ends[-1] - GIVE_BACK), default=0)
        if not keep:
            part.unlink(missing_ok=True)  # an inode is room too
        else:
            os.truncate(part, keep)  # a cut here: the marks beyond are found false on resuming
        store.sync_folder(self.store.incoming)
        self.ledger.drop_chunks(row.id, keep)
        return self._advance(row, Step.FULL, {"free": self.store.free_bytes()})

    def _chunks(self, row: Recording, fd: int, start: chunks.Checked) -> None:
        try:
            opened = self.source.open(row.path)
        except OSError as error:
            raise chunks.SourceFault(0, error.strerror or str(error)) from error
        try:
            chunks.copy(
                opened,
                fd,
                row.size,
                start,
                self.chunk,
                self.claim,
                lambda end, prefix: self.ledger.add_chunk(row.id, self.docking, end, prefix),
                lambda at: self.moved(row, at),
            )
        finally:
            opened.close()

    def _advance(self, row: Recording, step: Step, detail: dict[str, str | int]) -> State:
        return self.ledger.advance(row.id, step, {**detail}, docking=self.docking)


def finish(ledger: Ledger, kept: store.Store, recording: str, sm3: bool) -> State:
    """Read back, rename, seal: no camera needed. The state reached: SEALED or MISMATCH.

    Also the way on after a cut between two of these steps. Anything else is left as it is.
    """
    with kept.exclusive(recording):
        row = ledger.get(recording)
        assert row is not None
        if row.state not in (State.COPYING, State.READBACK_OK):
            return row.state
        part = kept.part(row.id)
        renamed = row.file is not None and not part.exists()
        path = kept.bags / row.file if row.file and renamed else part
        seen = chunks.check(path, ledger.chunks(row.id), sm3)
        if seen.why or seen.end != row.size or path.stat().st_size != row.size:
            if renamed and path.exists():
                path.rename(part)  # the good chunks of it are used again
            ledger.drop_chunks(row.id, seen.end)
            return ledger.advance(
                row.id, Step.DIFFERS, {"good": seen.end, "why": seen.why or "short"}
            )
        if row.state is State.COPYING:
            sha256 = seen.state.hexdigest()
            file = _file(ledger, row)
            detail = {"sha256": sha256, "sm3": seen.sm3, "file": file}
            ledger.advance(row.id, Step.SAME, detail, sha256=sha256, sm3=seen.sm3, file=file)
        else:
            assert row.file is not None
            file = row.file
        if not renamed:
            kept.place(row.id, file)
        state = ledger.advance(row.id, Step.RENAMED, {"file": file}, sealed_ms=ledger.now_ms())
        return state


def _file(ledger: Ledger, row: Recording) -> str:
    """The place in the bag: DOCKING/data/PATH, free even where case does not count."""
    docking = ledger.docking(row.docking)
    path = store.safe_path(row.path, row.id)
    taken = {
        other.file.casefold() for other in ledger.of(docking) if other.file and other.id != row.id
    }
    if f"{docking.bag}/data/{path}".casefold() in taken:
        path = store.tagged(path, row.id)
    return f"{docking.bag}/data/{path}"
