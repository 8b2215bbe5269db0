"""What happens in one bay, in order, in a thread of its own: a hang in here is this bay's alone."""

from __future__ import annotations

import logging
import queue
import threading
from contextlib import suppress

from edge_agent.docks.config import Bay
from edge_agent.docks.devices import Device
from edge_agent.docks.docking import DockingThread
from edge_agent.docks.intake import Means
from edge_agent.docks.progress import Progress

log = logging.getLogger(__name__)

RETRY_S = 2.0
Devices = tuple[Device, ...]


class BayThread:
    """`changed` says what is in the bay now; `here` are its dockings, one per file system."""

    def __init__(self, bay: Bay, means: Means) -> None:
        self.bay = bay
        self.here: tuple[DockingThread, ...] = ()  # replaced, never changed: anyone may read it
        self._leaving: tuple[DockingThread, ...] = ()
        self._means = means
        self._changes: queue.SimpleQueue[Devices | threading.Event] = queue.SimpleQueue()
        threading.Thread(target=self._work, name=bay.slug, daemon=True).start()

    def shown(self) -> list[Progress]:
        """What the page shows: also of a camera that left while the disk was full."""
        return [each.progress for each in (*self.here, *self._leaving)]

    def changed(self, devices: Devices) -> None:
        self._changes.put(devices)

    def empty(self, within_s: float) -> None:
        """The agent stops: end what is here; wait so long for it, no longer."""
        done = threading.Event()
        self._changes.put(())
        self._changes.put(done)
        done.wait(within_s)

    def _work(self) -> None:
        want: Devices | threading.Event = ()
        settled = True
        while True:
            with suppress(queue.Empty):
                want = self._changes.get(timeout=None if settled else RETRY_S)
            if isinstance(want, threading.Event):
                want.set()
                want = ()
                continue
            try:
                self._settle(want)
                settled = True
            except Exception:  # a full disk, a ledger that is busy: the bay must not be lost for it
                log.exception("%s: will be tried again", self.bay.slug)
                settled = False

    def _settle(self, devices: Devices) -> None:
        """End what is not there any more, before what is new begins."""
        stays = {each.device: each for each in self.here if each.device in devices}
        self._leaving += tuple(each for each in self.here if each.device not in devices)
        self.here = tuple(stays.values())
        while self._leaving:
            self._leaving[0].leave()
            self._leaving = self._leaving[1:]
        for device in devices:
            if device not in stays:
                docking = DockingThread(device, self._means)
                self.here = (*self.here, docking)
                docking.start()
