"""The docks of one checkpoint: cameras come and go, recordings go up, staff see which is which.

Nothing here blocks the event loop: devices are watched by one thread, each bay has a thread for
coming and going and, per docking, one for the camera. They are daemons: a kernel that never
returns from a read must not keep the agent from stopping.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import queue
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from edge_agent.docks import bag, custody, release
from edge_agent.docks.config import Bay, DocksConfig
from edge_agent.docks.devices import Device, DeviceSource, DirectorySource, Several
from edge_agent.docks.docking import DockingThread, Means
from edge_agent.docks.ingest import finish
from edge_agent.docks.lamps import Lamps, Outputs
from edge_agent.docks.mount import InPlace, Mounter, RootMounter
from edge_agent.docks.recovery import recovered
from edge_agent.docks.relay import Relay, Reports
from edge_agent.docks.source import MountedSource, Source
from edge_agent.docks.space import MB, Space
from edge_agent.docks.states import ON_DISK, State, Step
from edge_agent.docks.store import Store, make_folder
from edge_agent.docks.unlock import unlocker
from edge_agent.docks.upload import Uploads
from edge_agent.docks.view import bay_view
from edge_agent.supervise import supervise

log = logging.getLogger(__name__)

MOUNTS = Path("/run/checkpoint-agent/docks")
POLL_S = 1.0
RETRY_S = 2.0
LEAVE_S = 5.0  # at the end, for a bay whose camera hangs
HOUSEKEEPING_S = 2.0


class BayThread:
    """What happens in one bay, in order. A hang in here is this bay's alone."""

    def __init__(self, bay: Bay, means: Means) -> None:
        self.bay = bay
        self.here: DockingThread | None = None
        self._means = means
        self._changes: queue.SimpleQueue[Device | threading.Event | None] = queue.SimpleQueue()
        threading.Thread(target=self._work, name=bay.slug, daemon=True).start()

    def changed(self, device: Device | None) -> None:
        self._changes.put(device)

    def empty(self, within_s: float) -> None:
        """The agent stops: end what is here; wait so long for it, no longer."""
        done = threading.Event()
        self._changes.put(None)
        self._changes.put(done)
        done.wait(within_s)

    def _work(self) -> None:
        want: Device | threading.Event | None = None
        settled = True
        while True:
            with suppress(queue.Empty):
                want = self._changes.get(timeout=None if settled else RETRY_S)
            if isinstance(want, threading.Event):
                want.set()
                want = None
                continue
            try:
                self._settle(want)
                settled = True
            except Exception:  # a full disk, a ledger that is busy: the bay must not be lost for it
                log.exception("%s: will be tried again", self.bay.slug)
                settled = False

    def _settle(self, device: Device | None) -> None:
        if self.here:
            self.here.leave()
            self.here = None
        if device:
            self.here = DockingThread(device, self._means)
            self.here.start()


class Docks:
    """`run()` for ever; `view()` at any time; `confirm(fields)` for the county's dock_confirm."""

    def __init__(
        self,
        config: DocksConfig,
        reporter: Reports,
        *,
        checkpoint: str = "checkpoint",
        devices: DeviceSource | None = None,
        mounter: Mounter | None = None,
        make_source: Callable[[Path], Source] = MountedSource,
        outputs: Outputs | None = None,
        uplink_busy: Callable[[], bool] = lambda: False,
        fault: Callable[[str, str | None], None] = lambda name, why: None,
    ) -> None:
        _usable(config)
        key = custody.load_key(config.key) if config.key else custody.own_key(config.store)
        self.config = config
        self.checkpoint = checkpoint
        self.store = Store(config.store)
        self.ledger = recovered(config.store / "ledger.db", self.store.bags, key)
        self._fault = fault
        self.space = Space(
            self.ledger,
            self.store,
            config.keep_days,
            config.free_low_mb * MB,
            config.free_high_mb * MB,
        )
        self._devices = devices or _devices(config)
        self._relay = Relay(self.ledger, reporter)
        self._means = Means(
            ledger=self.ledger,
            store=self.store,
            space=self.space,
            mounter=mounter or (RootMounter(MOUNTS) if os.geteuid() == 0 else InPlace()),
            unlocker=lambda device: unlocker(device, config.family),
            families=config.family,
            chunk=config.chunk_mb * 1024 * 1024,
            sm3="sm3" in config.hash,
            carrier=config.carrier,
            make_source=make_source,
        )
        self._uploads = (
            Uploads(config.upload, self.ledger, self.store, checkpoint, uplink_busy, fault)
            if config.upload
            else None
        )
        self._lamps = Lamps(config.bay, outputs) if outputs else None
        self._bays = {bay.slug: BayThread(bay, self._means) for bay in config.bay}

    async def run(self) -> None:
        """Until cancelled. A part that fails is shown and started again; the others go on."""
        loop = asyncio.get_running_loop()
        news = asyncio.Event()
        self.ledger.on_journal = partial(loop.call_soon_threadsafe, news.set)
        await asyncio.to_thread(self.recover)
        parts: dict[str, Callable[[], Awaitable[None]]] = {
            "dock devices": self._watching,
            "dock relay": partial(self._relaying, news),
            "dock housekeeping": self._housekeeping,
        }
        if self._uploads:
            parts["upload"] = self._uploads.run
        if self._lamps:
            parts["dock lamps"] = partial(self._lamps.run, self.view)
        try:
            async with asyncio.TaskGroup() as tasks:
                for name, part in parts.items():
                    tasks.create_task(supervise(name, part, self._fault))
        finally:
            self.ledger.on_journal = lambda: None
            await asyncio.gather(
                *(asyncio.to_thread(bay.empty, LEAVE_S) for bay in self._bays.values())
            )

    def recover(self) -> None:
        """After a start no camera is known to be anywhere: those that are here show themselves."""
        for docking in self.ledger.dockings("ended_ms IS NULL"):
            self.ledger.end(docking)
        for row in self.ledger.recordings("state = ?", State.COUNTY_CONFIRMED):
            self.ledger.advance(row.id, Step.RELEASE)  # a cut came between the two

    def view(self) -> list[dict[str, Any]]:
        """One dict per bay for the page: see `view.bay_view` for its keys."""
        return [
            bay_view(thread.bay, [thread.here.progress] if thread.here else [], self.config.stall_s)
            for thread in self._bays.values()
        ]

    async def confirm(self, fields: Mapping[str, Any]) -> str:
        """A verified `dock_confirm`; the recording it released. release.Refused says why not."""
        return await asyncio.to_thread(release.confirm, self.ledger, fields)

    async def hold(self, recording: str, who: str, why: str, on: bool = True) -> None:
        """Keep it without end, or no longer. release.Refused for a hold without name or reason."""
        await asyncio.to_thread(release.hold, self.ledger, recording, who, why, on)

    async def _watching(self) -> None:
        while True:
            for change in await asyncio.to_thread(self._devices.poll, POLL_S):
                if change.bay in self._bays:
                    self._bays[change.bay].changed(change.device)

    async def _relaying(self, news: asyncio.Event) -> None:
        while True:
            news.clear()
            if not await self._relay.step(asyncio.to_thread):
                await news.wait()

    async def _housekeeping(self) -> None:
        while True:
            await asyncio.to_thread(self._housekeep)
            await asyncio.sleep(HOUSEKEEPING_S)

    def _housekeep(self) -> None:
        self._finish_copied()
        self._write_bags()
        for bay in self._bays.values():
            if bay.here:
                bay.here.refresh()

    def _finish_copied(self) -> None:
        """What was wholly copied when its camera left needs it no more."""
        for row in self.ledger.recordings(
            "(state = ? AND copied = size AND size > 0 OR state = ?) AND EXISTS"
            " (SELECT 1 FROM docking d WHERE d.id = docking AND d.ended_ms IS NOT NULL)",
            State.COPYING,
            State.READBACK_OK,
        ):
            finish(self.ledger, self.store, row.id, self._means.sm3)

    def _write_bags(self) -> None:
        """Dockings whose bag lacks something: all that are over, or done with their camera."""
        for docking in self.ledger.dockings(
            "bagged != (SELECT count(*) FROM recording r WHERE r.docking = docking.id AND"
            f" r.state IN ({','.join('?' * len(ON_DISK))})) AND NOT EXISTS (SELECT 1 FROM"
            " recording r WHERE r.docking = docking.id AND r.state IN (?, ?, ?))",
            *ON_DISK,
            State.INVENTORIED,
            State.COPYING,
            State.READBACK_OK,
        ):
            bag.write(self.ledger, self.store, docking, self.checkpoint)


def _usable(config: DocksConfig) -> None:
    """ValueError, one sentence, for what the configuration cannot know."""
    try:
        make_folder(config.store)
    except OSError as error:
        raise ValueError(
            f"[docks] store = {config.store}: {error.strerror}：换一个本机可写的文件夹"
            " / choose a folder on a local disk that the agent may write"
        ) from error
    missing = set(config.hash) - hashlib.algorithms_available
    if missing:
        raise ValueError(
            f"[docks] hash: 本机的 OpenSSL 没有 {', '.join(missing)}，请去掉"
            f" / this machine's OpenSSL has no {', '.join(missing)}: leave it out"
        )


def _devices(config: DocksConfig) -> DeviceSource:
    sources: list[DeviceSource] = [DirectorySource(config.bay)]
    if any(bay.path for bay in config.bay):
        from edge_agent.docks.usb import UsbSource  # pyudev is for Linux only

        sources.append(UsbSource(config.bay, config.family))
    return Several(sources)
