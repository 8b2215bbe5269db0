"""All that one mounted camera holds: first listed, whole, then copied file by file to SEALED."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from edge_agent.docks import chunks, room
from edge_agent.docks.config import Family
from edge_agent.docks.devices import Device
from edge_agent.docks.ingest import YANK_NOTICE_S, Ingest
from edge_agent.docks.ledger import Ledger, Revoked
from edge_agent.docks.mount import Mounter
from edge_agent.docks.progress import Progress, Watched
from edge_agent.docks.rows import Docking, Recording, readable
from edge_agent.docks.source import Found, MountedSource, Source
from edge_agent.docks.space import Space
from edge_agent.docks.states import FAULTS, NEEDS_CAMERA, SAYS, State, Step
from edge_agent.docks.store import Store
from edge_agent.docks.unlock import Unlocker

log = logging.getLogger(__name__)

# Per docking: a copy that differs is made anew from its last good chunk, a bad read once more.
TRIES = {State.MISMATCH: 3, State.READ_ERROR: 2}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Means:
    """What every docking works with."""

    ledger: Ledger
    store: Store
    space: Space
    mounter: Mounter
    unlocker: Callable[[Device], Unlocker]
    families: tuple[Family, ...]
    chunk: int  # bytes
    sm3: bool
    whole: bool = False  # see again.py
    carrier: Callable[[str], str | None] = lambda camera: None
    make_source: Callable[[Path], Source] = MountedSource


class Intake:
    """`take_in(source)` for one docking. Revoked may come out of everything here."""

    def __init__(
        self, means: Means, docking: Docking, claim: chunks.Claim, progress: Progress
    ) -> None:
        self.docking = docking
        self.progress = progress
        self._means = means
        self._claim = claim

    def to(self, state: State) -> None:
        self.progress.state = state

    def note(self, kind: str, detail: dict[str, str | int | bool | None]) -> None:
        """A custody event of this docking."""
        if self._claim.revoked(0):
            raise Revoked("the camera is gone")
        self.roomy(lambda: self._means.ledger.append(kind, detail, docking=self.docking))

    def roomy(self, call: Callable[[], T]) -> T:
        """`call`, as soon as the disk has room for it; NO_SPACE is shown until then."""
        before, why = self.progress.state, self.progress.why

        def full() -> None:
            self.to(State.NO_SPACE)
            self.progress.why = room.SAYS
            try:
                self._means.ledger.append(State.NO_SPACE, {"why": room.SAYS}, docking=self.docking)
            except (OSError, sqlite3.OperationalError) as error:
                if not room.disk_full(error, self._means.store.root):
                    raise
                log.warning("%s: no room for the custody event either", self.docking.bay)

        done = room.until_room(call, self._means.store.root, full, self._claim.revoked)
        if self.progress.why == room.SAYS:
            self.progress.state, self.progress.why = before, why
        return done

    def take_in(self, root: Path, offset_s: int | None) -> list[Recording]:
        """Everything below `root` to SEALED, as far as it goes. offset_s: what the camera says its
        clock is ahead of ours, None when it cannot be asked."""
        means = self._means
        source = Watched(means.make_source(root), self.progress)
        ingest = Ingest(
            means.ledger,
            means.store,
            self.docking,
            self._claim,
            source,
            means.families,
            means.chunk,
            means.sm3,
            self._moved,
            means.whole,
            means.carrier(self.docking.camera),
        )
        rows = self._inventory(ingest, source, offset_s)
        self._copy_all(ingest, rows)
        return rows

    def _inventory(self, ingest: Ingest, source: Source, offset_s: int | None) -> list[Recording]:
        """Everything on the camera into the ledger, before the first byte is copied."""
        rows: list[Recording] = []
        newest: int | None = None
        for item in source.walk():
            if isinstance(item, Found):
                newest = max(newest or 0, item.mtime_ns)
                try:
                    rows.append(self.roomy(lambda item=item: ingest.enlist(item)))
                    continue
                except chunks.SourceFault as fault:
                    if self._claim.revoked(YANK_NOTICE_S):
                        raise Revoked("the camera is gone") from fault
                    self._skip(item.path, str(fault), unreadable=True)
            else:
                self._skip(item.path, item.why, unreadable=item.fault)
        progress = self.progress
        named = {row.member for row in rows if row.member}
        progress.members = tuple(sorted(named)) or progress.members
        progress.states.update({row.id: row.state for row in rows})
        progress.files, progress.bytes = len(rows), sum(row.size for row in rows)
        progress.bytes_done = sum(row.size for row in rows if row.state not in NEEDS_CAMERA)
        new = [row for row in rows if row.state in NEEDS_CAMERA]
        new_bytes = sum(row.size - row.copied for row in new)
        progress.offset_s = self._offset(offset_s, newest)
        self.roomy(lambda: self._means.ledger.set_offset(self.docking, progress.offset_s))
        fits = self._reserve(new_bytes)
        self._means.space.free(self.docking.hex)
        if not fits:
            progress.why = "磁盘放不下全部录像 / the disk has no room for all of this camera"
        self.to(State.INVENTORIED)
        self.note(
            State.INVENTORIED,
            {
                "files": len(rows),
                "bytes": progress.bytes,
                "new_files": len(new),
                "new_bytes": new_bytes,
                "fits": fits,
                "skipped": progress.skipped,
                "offset_s": progress.offset_s,
            },
        )
        return rows

    def _offset(self, asked: int | None, newest_ns: int | None) -> int | None:
        """Camera's clock minus ours in s, before any correction.

        A camera that cannot be asked, but has a file from the future, is at least so far ahead.
        """
        if asked is not None or newest_ns is None:
            return asked
        ahead = newest_ns // 10**9 - self._means.ledger.now_ms() // 1000
        return ahead if ahead > 0 else None

    def _skip(self, path: bytes, why: str, unreadable: bool) -> None:
        self.progress.skipped += 1
        kind = State.READ_ERROR if unreadable else "SKIPPED"
        self.note(kind, {"path": readable(path), "path_hex": path.hex(), "why": why})
        if unreadable:
            self.progress.unreadable += 1
            self.progress.why = f"{readable(path)}: {why}"

    def _copy_all(self, ingest: Ingest, rows: list[Recording]) -> None:
        todo = [row.id for row in rows if row.docking == self.docking.id]
        tries: dict[str, int] = {}
        wait = 0.0
        while todo:
            waiting: list[str] = []
            again: list[str] = []
            for number in todo:
                row = self._means.ledger.get(number)
                assert row is not None
                if row.state not in (*NEEDS_CAMERA, State.READBACK_OK):
                    continue
                state = self._one(ingest, row)
                tries[number] = tries.get(number, 0) + 1
                if state is State.NO_SPACE:
                    waiting.append(number)
                elif tries[number] < TRIES.get(state, 0):
                    again.append(number)
            wait = room.longer(wait) if len(waiting) == len(todo) else 0.0
            todo = again + waiting
            if waiting:
                self._wait_for_room(waiting, wait)
        self.to(State.SEALED)

    def _wait_for_room(self, waiting: list[str], wait_s: float) -> None:
        """At least `wait_s`, then until the smallest that waits fits: work goes on as soon as it
        can, and not before, because each try is two rows of custody."""
        self.to(State.NO_SPACE)
        rows = [row for row in map(self._means.ledger.get, waiting) if row]
        needed = min(row.size - row.copied for row in rows)
        while True:
            if self._claim.revoked(wait_s or room.WAIT_S[0]):
                raise Revoked("the camera is gone")
            if self._reserve(needed) and self._means.store.takes_a_file():
                return

    def _reserve(self, needed: int) -> bool:
        return self.roomy(lambda: self._means.space.reserve(self.docking.hex, needed))

    def _one(self, ingest: Ingest, row: Recording) -> State:
        self.progress.file, self.progress.file_bytes = readable(row.path), row.size
        self.to(State.COPYING)
        needed = row.size - row.copied
        ledger, space = self._means.ledger, self._means.space
        if row.state in NEEDS_CAMERA and not self._reserve(needed):
            state = row.state
            if state is not State.NO_SPACE:
                detail = {"free": self._means.store.free_bytes(), "needed": needed}
                state = self.roomy(
                    lambda: ledger.advance(row.id, Step.FULL, detail, docking=self.docking)
                )
        else:
            try:
                state = self.roomy(lambda: ingest.run(row.id))
            finally:
                space.free(self.docking.hex)
        self.progress.states[row.id] = state
        self.progress.file_done = 0
        if state in NEEDS_CAMERA:
            self.progress.why = f"{readable(row.path)}: {SAYS[state]} / {state}"
        else:
            self.progress.bytes_done += row.size
            if not self.progress.unreadable and FAULTS.isdisjoint(self.progress.states.values()):
                self.progress.why = None  # room was made, a bad contact was good again
        return state

    def _moved(self, row: Recording, at: int) -> None:
        self.progress.file_done = at
        self._means.space.shrink(self.docking.hex, row.size - at)
