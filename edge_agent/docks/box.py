"""An open dock: store, ledger, bays and what goes on between them.

Nothing here blocks the event loop: devices are watched by one thread, each bay has a thread for
coming and going and, per file system docked, one for the camera. They are daemons: a kernel that
never returns from a read must not keep the agent from stopping.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

from edge_agent.docks import bag, custody, room
from edge_agent.docks.bays import BayThread
from edge_agent.docks.config import DocksConfig
from edge_agent.docks.devices import DeviceSource, DirectorySource, Several
from edge_agent.docks.ingest import finish
from edge_agent.docks.intake import Means
from edge_agent.docks.mount import InPlace, Mounter, RootMounter
from edge_agent.docks.recovery import recovered
from edge_agent.docks.relay import Relay, Reports
from edge_agent.docks.source import Source
from edge_agent.docks.space import MB, Space
from edge_agent.docks.states import ON_DISK, State, Step
from edge_agent.docks.store import Store
from edge_agent.docks.unlock import unlocker
from edge_agent.docks.upload import Uploads
from edge_agent.supervise import supervise

MOUNTS = Path("/run/checkpoint-agent/docks")
POLL_S = 1.0
LEAVE_S = 5.0  # at the end, for a bay whose camera hangs
HOUSEKEEPING_S = 2.0


class Box:
    """`run()` until cancelled. Making one opens the ledger, which needs room on the disk."""

    def __init__(
        self,
        config: DocksConfig,
        reporter: Reports,
        checkpoint: str,
        devices: DeviceSource | None,
        mounter: Mounter | None,
        make_source: Callable[[Path], Source],
        uplink_busy: Callable[[], bool],
        fault: Callable[[str, str | None], None],
        clock_is_set: Callable[[], bool],
    ) -> None:
        self._checkpoint = checkpoint
        self._fault = fault
        self.store = Store(config.store)
        key = custody.load_key(config.key) if config.key else custody.own_key(config.store)
        self.ledger = recovered(config.store / "ledger.db", self.store.bags, key)
        self.space = Space(
            self.ledger,
            self.store,
            config.keep_days,
            config.free_low_mb * MB,
            config.free_high_mb * MB,
            clock_is_set,
        )
        self._tidied: int | None = None  # row of the journal up to which all is tidy
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
            whole=config.redock == "whole",
            carrier=config.carrier,
            make_source=make_source,
        )
        self._uploads = (
            Uploads(config.upload, self.ledger, self.store, checkpoint, uplink_busy, fault)
            if config.upload
            else None
        )
        self.bays = {bay.slug: BayThread(bay, self._means) for bay in config.bay}

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        news = asyncio.Event()
        self.ledger.on_journal = partial(loop.call_soon_threadsafe, news.set)
        parts: dict[str, Callable[[], Awaitable[None]]] = {
            "dock devices": self._watching,
            "dock relay": partial(self._relaying, news),
            "dock housekeeping": self._housekeeping,
        }
        if self._uploads:
            parts["upload"] = self._uploads.run
        try:
            await self._recovering()
            async with asyncio.TaskGroup() as tasks:
                for name, part in parts.items():
                    tasks.create_task(supervise(name, part, self._fault))
        finally:
            self.ledger.on_journal = lambda: None
            await asyncio.gather(
                *(asyncio.to_thread(bay.empty, LEAVE_S) for bay in self.bays.values())
            )

    async def _recovering(self) -> None:
        wait = 0.0
        while (why := await asyncio.to_thread(self._full, self._recover)) is not None:
            self._fault("docks disk", why)
            wait = room.longer(wait)
            await asyncio.sleep(wait)
        self._fault("docks disk", None)

    def _recover(self) -> None:
        """After a start no camera is known to be anywhere: those that are here show themselves."""
        for docking in self.ledger.dockings("ended_ms IS NULL"):
            self.ledger.end(docking)
        for row in self.ledger.recordings("state = ?", State.COUNTY_CONFIRMED):
            self.ledger.advance(row.id, Step.RELEASE)  # a cut came between the two
        for row in self.ledger.recordings("state = ?", State.EVICTED):
            self.space.remove(row)  # likewise

    async def _watching(self) -> None:
        while True:
            for change in await asyncio.to_thread(self._devices.poll, POLL_S):
                if change.bay in self.bays:
                    self.bays[change.bay].changed(change.devices)

    async def _relaying(self, news: asyncio.Event) -> None:
        while True:
            news.clear()
            if not await self._relay.step(asyncio.to_thread):
                await news.wait()

    async def _housekeeping(self) -> None:
        while True:
            self._fault("docks disk", await asyncio.to_thread(self._housekeep))
            await asyncio.sleep(HOUSEKEEPING_S)

    def _housekeep(self) -> str | None:
        """A sentence when the disk was too full for some of it; the rest is done all the same."""
        for bay in self.bays.values():
            for docking in bay.here:
                docking.refresh()
        last = self.ledger.last()
        if last == self._tidied:
            return None  # years of dockings are not gone through for nothing
        faults = [self._full(work) for work in (*self._to_finish(), *self._to_bag())]
        fault = next((fault for fault in faults if fault), None)
        self._tidied = last if fault is None else None
        return fault

    def _full(self, work: Callable[[], object]) -> str | None:
        """Do it; a sentence when there was no room for it."""
        try:
            work()
        except (OSError, sqlite3.OperationalError) as error:
            if not room.disk_full(error, self.store.root):
                raise
            return room.SAYS
        return None

    def _to_finish(self) -> Iterator[Callable[[], object]]:
        """What was wholly copied when its camera left needs it no more."""
        for row in self.ledger.recordings(
            "(state = ? AND copied = size AND size > 0 OR state = ?) AND EXISTS"
            " (SELECT 1 FROM docking d WHERE d.id = docking AND d.ended_ms IS NOT NULL)",
            State.COPYING,
            State.READBACK_OK,
        ):
            yield partial(finish, self.ledger, self.store, row.id, self._means.sm3)

    def _to_bag(self) -> Iterator[Callable[[], object]]:
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
            yield partial(bag.write, self.ledger, self.store, docking, self._checkpoint)


def _devices(config: DocksConfig) -> DeviceSource:
    sources: list[DeviceSource] = [DirectorySource(config.bay)]
    if any(bay.path for bay in config.bay):
        from edge_agent.docks.usb import UsbSource  # pyudev is for Linux only

        sources.append(UsbSource(config.bay, config.family))
    return Several(sources)
