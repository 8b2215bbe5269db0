"""One file system of a camera in one bay: a thread that brings all it holds to SEALED.

It owns no other bay's time: a camera that hangs in a read hangs this thread alone. When the camera
leaves, `leave` ends the docking in the ledger, which shuts this thread out wherever it may be.
"""

from __future__ import annotations

import logging
import sqlite3
import threading

from edge_agent.docks import chunks, room
from edge_agent.docks.devices import Device
from edge_agent.docks.intake import Intake, Means
from edge_agent.docks.ledger import Revoked
from edge_agent.docks.mount import MountRefused
from edge_agent.docks.progress import Progress
from edge_agent.docks.release import wipe
from edge_agent.docks.rows import Docking, Recording
from edge_agent.docks.states import State
from edge_agent.docks.unlock import UnlockRefused, family_of

log = logging.getLogger(__name__)


class DockingThread:
    """Start it with `start`, end it with `leave` (from another thread)."""

    def __init__(self, device: Device, means: Means) -> None:
        self.device = device
        self.progress = Progress(device.camera)
        carrier = means.carrier(device.camera)
        self.progress.members = (carrier,) if carrier else ()
        self.docking: Docking | None = None  # until the ledger has it
        self._mounted = device  # what stands for it once it is unlocked
        self._means = means
        self._claim = chunks.Claim()
        self._thread = threading.Thread(
            target=self._work, name=f"{device.bay} {device.label}", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def leave(self, wait_s: float = 2.0) -> None:
        """The camera is gone, or the agent stops. Returns whether or not the thread still hangs.

        To be called again when it raises: then the ledger had no room for the end.
        """
        self._claim.revoke()
        try:
            if self.docking:
                self._means.space.free(self.docking.hex)
                self._means.ledger.end(self.docking)
        except (OSError, sqlite3.OperationalError) as error:
            if room.disk_full(error, self._means.store.root):
                self._fault(State.NO_SPACE, room.SAYS)
            raise
        finally:
            self._thread.join(wait_s)
            self._means.mounter.unmount(self._mounted)

    def refresh(self) -> None:
        """Take over what happened to its recordings since: announced, confirmed, released."""
        self.progress.states.update(self._means.ledger.states(list(self.progress.states)))

    def _work(self) -> None:
        try:
            self.docking = self._begin()
            if self._claim.revoked(0):  # `leave` came before it could know of this docking
                self._means.ledger.end(self.docking)
            self._dock(Intake(self._means, self.docking, self._claim, self.progress))
        except Revoked:
            log.info("%s: camera %s left", self.device.bay, self.device.camera)
        except Exception as error:  # the bay's end of the world, not the agent's: shown, logged
            log.exception("%s: %s stopped", self.device.bay, self.device.camera)
            self._fault(State.READ_ERROR, f"{type(error).__name__}: {error}")

    def _begin(self) -> Docking:
        device, ledger = self.device, self._means.ledger
        return room.until_room(
            lambda: ledger.begin(device.bay, device.camera, device.label),
            self._means.store.root,
            lambda: self._fault(State.NO_SPACE, room.SAYS),
            self._claim.revoked,
        )

    def _dock(self, intake: Intake) -> None:
        means, device = self._means, self.device
        unlocker = means.unlocker(device)
        self._fault(State.UNLOCKING, None)
        if not device.camera:
            return self._refused(
                intake,
                State.UNKNOWN_CAMERA,
                "记录仪没有序列号，无法归档 / no serial number and no volume id: not ingested",
            )
        try:
            with self.progress.asking():
                unlocked = unlocker.unlock(device)
        except UnlockRefused as refused:
            return self._refused(intake, State.UNLOCK_REFUSED, str(refused))
        intake.note(State.UNLOCKING, {"by": type(unlocker).__name__})
        if unlocked is None:
            return None  # it comes back as another device, in this bay
        self._mounted = unlocked
        try:
            with self.progress.asking():
                root = means.mounter.mount(unlocked)
        except MountRefused as refused:
            return self._refused(intake, State.UNKNOWN_CAMERA, str(refused))
        intake.to(State.MOUNTED_RO)
        intake.note(State.MOUNTED_RO, {"camera": device.camera})
        rows = intake.take_in(root, unlocker.clock_offset_s())
        family = family_of(device, means.families)
        if family and family.wipe:
            self._wipe(intake, unlocked, rows)

    def _wipe(self, intake: Intake, device: Device, rows: list[Recording]) -> None:
        """While the camera is still here: once everything on it is released."""
        while True:
            now = [row for each in rows if (row := self._means.ledger.get(each.id))]
            if all(row.state in (State.RELEASED, State.EVICTED) for row in now):
                break
            if self._claim.revoked(room.WAIT_S[0]):
                raise Revoked("the camera is gone")
        root = self._means.mounter.writable(device)
        intake.roomy(lambda: wipe(self._means.ledger, intake.docking, root, now))
        self._means.mounter.unmount(device)
        intake.to(State.RELEASED)

    def _fault(self, state: State, why: str | None) -> None:
        self.progress.state, self.progress.why = state, why

    def _refused(self, intake: Intake, state: State, why: str) -> None:
        self._fault(state, why)
        intake.note(state, {"why": why})
