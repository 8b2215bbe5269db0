"""One camera in one bay: a thread that brings all it holds to SEALED, however long that takes.

It owns no other bay's time: a camera that hangs in a read hangs this thread alone. When the camera
leaves, `leave` ends the docking in the ledger, which shuts this thread out wherever it may be.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_agent.docks import chunks
from edge_agent.docks.config import Family
from edge_agent.docks.devices import Device
from edge_agent.docks.ingest import YANK_NOTICE_S, Ingest
from edge_agent.docks.ledger import Ledger, Revoked
from edge_agent.docks.mount import Mounter, MountRefused
from edge_agent.docks.progress import Progress, Watched
from edge_agent.docks.release import wipe
from edge_agent.docks.rows import Docking, Recording, readable
from edge_agent.docks.source import Found, MountedSource, Source
from edge_agent.docks.space import Space
from edge_agent.docks.states import NEEDS_CAMERA, SAYS, State, Step
from edge_agent.docks.store import Store
from edge_agent.docks.unlock import Unlocker, UnlockRefused, family_of

log = logging.getLogger(__name__)

# Per docking: a copy that differs is made anew from its last good chunk, a bad read once more.
TRIES = {State.MISMATCH: 3, State.READ_ERROR: 2}
POLL_S = 2.0  # between looks for room, or for the county's word


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
    carrier: Callable[[str], str | None] = lambda camera: None
    make_source: Callable[[Path], Source] = MountedSource


class DockingThread:
    """Start it with `start`, end it with `leave` (from another thread)."""

    def __init__(self, device: Device, means: Means) -> None:
        self.device = device
        self.progress = Progress(device.camera)
        self._means = means
        self._carrier = means.carrier(device.camera)
        self.progress.members = (self._carrier,) if self._carrier else ()
        self._claim = chunks.Claim()
        self.docking: Docking = means.ledger.begin(device.bay, device.camera, device.label)
        self._thread = threading.Thread(
            target=self._work, name=f"docking {self.docking.id} {device.bay}", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def leave(self, wait_s: float = 2.0) -> None:
        """The camera is gone, or the agent stops. Returns whether or not the thread still hangs."""
        self._means.ledger.end(self.docking)
        self._claim.revoke()
        self._thread.join(wait_s)
        self._means.mounter.unmount(self.device)

    def refresh(self) -> None:
        """Take over what happened to its recordings since: announced, confirmed, released."""
        for number in list(self.progress.states):
            row = self._means.ledger.get(number)
            if row:
                self.progress.states[number] = row.state

    def _work(self) -> None:
        try:
            self._dock()
        except Revoked:
            log.info("%s: camera %s left", self.device.bay, self.device.camera)
        except Exception as error:  # the bay's end of the world, not the agent's: shown, logged
            log.exception("%s: docking %d stopped", self.device.bay, self.docking.id)
            self._fault(State.READ_ERROR, f"{type(error).__name__}: {error}")

    def _dock(self) -> None:
        means, device = self._means, self.device
        unlocker = means.unlocker(device)
        self._to(State.UNLOCKING)
        if not device.camera:
            return self._fault(
                State.UNKNOWN_CAMERA,
                "记录仪没有序列号，无法归档 / no serial number and no volume id: not ingested",
                record=True,
            )
        try:
            with self.progress.asking():
                unlocked = unlocker.unlock(device)
        except UnlockRefused as refused:
            return self._fault(State.UNLOCK_REFUSED, str(refused), record=True)
        self._note(State.UNLOCKING, {"by": type(unlocker).__name__})
        if unlocked is None:
            return None  # it comes back as another device, in this bay
        try:
            with self.progress.asking():
                root = means.mounter.mount(unlocked)
        except MountRefused as refused:
            return self._fault(State.UNKNOWN_CAMERA, str(refused), record=True)
        self._to(State.MOUNTED_RO)
        self._note(State.MOUNTED_RO, {"camera": device.camera})
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
            self._carrier,
        )
        rows = self._inventory(ingest, source, unlocker.clock_offset_s())
        self._copy_all(ingest, rows)
        family = family_of(device, means.families)
        if family and family.wipe:
            self._wipe(unlocked, rows)

    def _wipe(self, device: Device, rows: list[Recording]) -> None:
        """While the camera is still here: once everything on it is released."""
        while True:
            now = [row for each in rows if (row := self._means.ledger.get(each.id))]
            if all(row.state in (State.RELEASED, State.EVICTED) for row in now):
                break
            if self._claim.revoked(POLL_S):
                raise Revoked("the camera is gone")
        root = self._means.mounter.writable(device)
        wipe(self._means.ledger, self.docking, root, now)
        self._means.mounter.unmount(device)
        self._to(State.RELEASED)

    def _inventory(self, ingest: Ingest, source: Source, offset_s: int | None) -> list[Recording]:
        """Everything on the camera into the ledger, before the first byte is copied."""
        rows: list[Recording] = []
        newest: int | None = None
        for item in source.walk():
            if isinstance(item, Found):
                newest = max(newest or 0, item.mtime_ns)
                try:
                    rows.append(ingest.enlist(item))
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
        self._means.ledger.set_offset(self.docking, progress.offset_s)
        fits = self._means.space.reserve(self.device.bay, new_bytes)
        self._means.space.free(self.device.bay)
        if not fits:
            progress.why = "磁盘放不下全部录像 / the disk has no room for all of this camera"
        self._to(State.INVENTORIED)
        self._note(
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
        self._note(kind, {"path": readable(path), "path_hex": path.hex(), "why": why})
        if unreadable:
            self.progress.unreadable += 1
            self.progress.why = f"{readable(path)}: {why}"

    def _copy_all(self, ingest: Ingest, rows: list[Recording]) -> None:
        todo = [row.id for row in rows if row.docking == self.docking.id]
        tries: dict[str, int] = {}
        while todo:
            full = False
            again: list[str] = []
            for number in todo:
                row = self._means.ledger.get(number)
                assert row is not None
                if row.state not in (*NEEDS_CAMERA, State.READBACK_OK):
                    continue
                state = self._one(ingest, row)
                tries[number] = tries.get(number, 0) + 1
                if state is State.NO_SPACE:
                    full = True
                    again.append(number)
                elif tries[number] < TRIES.get(state, 0):
                    again.append(number)
            todo = again
            if full and todo:
                self._to(State.NO_SPACE)
                while not self._means.space.reserve(self.device.bay, self._needed(todo)):
                    if self._claim.revoked(POLL_S):
                        raise Revoked("the camera is gone")
        self._to(State.SEALED)

    def _needed(self, todo: list[str]) -> int:
        """Bytes of the smallest that waits: as soon as one fits, work goes on."""
        sizes = [row.size - row.copied for row in map(self._means.ledger.get, todo) if row]
        return min(sizes, default=0)

    def _one(self, ingest: Ingest, row: Recording) -> State:
        self.progress.file, self.progress.file_bytes = readable(row.path), row.size
        self._to(State.COPYING)
        needed = row.size - row.copied
        space = self._means.space
        if row.state in NEEDS_CAMERA and not space.reserve(self.device.bay, needed):
            state = row.state
            if state is not State.NO_SPACE:
                detail = {"free": self._means.store.free_bytes(), "needed": needed}
                state = self._means.ledger.advance(row.id, Step.FULL, detail, docking=self.docking)
        else:
            try:
                state = ingest.run(row)
            finally:
                space.free(self.device.bay)
        self.progress.states[row.id] = state
        self.progress.file_done = 0
        if state in NEEDS_CAMERA:
            self.progress.why = f"{readable(row.path)}: {SAYS[state]} / {state}"
        else:
            self.progress.bytes_done += row.size
        return state

    def _moved(self, row: Recording, at: int) -> None:
        self.progress.file_done = at
        self._means.space.shrink(self.device.bay, row.size - at)

    def _to(self, state: State) -> None:
        self.progress.state = state

    def _note(self, kind: str, detail: dict[str, str | int | bool | None]) -> None:
        if self._claim.revoked(0):
            raise Revoked("the camera is gone")
        self._means.ledger.append(kind, detail, docking=self.docking)

    def _fault(self, state: State, why: str, record: bool = False) -> None:
        self._to(state)
        self.progress.why = why
        if record:
            self._note(state, {"why": why})
