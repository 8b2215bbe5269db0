"""The docks of one checkpoint, for the rest of the agent.

A disk that is full when the agent starts keeps the docks from opening their ledger, and nothing
else: they open as soon as there is room, and until then every bay says so.
"""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from edge_agent.docks import clock_rows, release, room
from edge_agent.docks.box import Box
from edge_agent.docks.config import DocksConfig
from edge_agent.docks.devices import DeviceSource
from edge_agent.docks.lamps import Lamps, Outputs
from edge_agent.docks.ledger import Ledger
from edge_agent.docks.mount import Mounter
from edge_agent.docks.relay import Reports
from edge_agent.docks.source import MountedSource, Source
from edge_agent.docks.space import Space
from edge_agent.docks.store import Store, make_folder
from edge_agent.docks.view import bay_view, no_room
from edge_agent.supervise import supervise
from edge_agent.timeline import Known, Run


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
        clock_is_set: Callable[[], bool] = lambda: True,
    ) -> None:
        _usable(config)
        self.config = config
        self._fault = fault
        self._lamps = Lamps(config.bay, outputs) if outputs else None
        self._make = partial(
            Box,
            config,
            reporter,
            checkpoint,
            devices,
            mounter,
            make_source,
            uplink_busy,
            fault,
            clock_is_set,
        )
        self._box: Box | None = None
        self._open()

    def _open(self) -> None:
        try:
            self._box = self._make()
        except (OSError, sqlite3.OperationalError) as error:
            if not room.disk_full(error, self.config.store):
                raise

    async def run(self) -> None:
        """Until cancelled. A part that fails is shown and started again; the others go on."""
        async with asyncio.TaskGroup() as tasks:
            if self._lamps:
                lamps = partial(self._lamps.run, self.view)
                tasks.create_task(supervise("dock lamps", lamps, self._fault))
            wait = 0.0
            while self._box is None:
                self._fault("docks disk", room.SAYS)
                wait = room.longer(wait)
                await asyncio.sleep(wait)
                await asyncio.to_thread(self._open)
            self._fault("docks disk", None)
            await self._box.run()

    def view(self) -> list[dict[str, Any]]:
        """One dict per bay for the page: see `view.bay_view` for its keys."""
        if self._box is None:
            return [no_room(bay) for bay in self.config.bay]
        stall_s = self.config.stall_s
        return [bay_view(each.bay, each.shown(), stall_s) for each in self._box.bays.values()]

    async def confirm(self, fields: Mapping[str, Any]) -> str:
        """A verified `dock_confirm`; the recording it released. release.Refused says why not."""
        return await asyncio.to_thread(release.confirm, self.ledger, fields)

    async def told_time(self, run: Run, known: Known | None) -> None:
        """The machine's clock was not set during `run`; `known`: what the time was."""
        await asyncio.to_thread(clock_rows.note, self.ledger, run, known)

    async def hold(self, recording: str, who: str, why: str, on: bool = True) -> None:
        """Keep it without end, or no longer. release.Refused for a hold without name or reason."""
        await asyncio.to_thread(release.hold, self.ledger, recording, who, why, on)

    @property
    def is_open(self) -> bool:
        return self._box is not None

    @property
    def box(self) -> Box:
        """release.Refused while a full disk keeps it shut."""
        if self._box is None:
            raise release.Refused(room.SAYS)
        return self._box

    @property
    def ledger(self) -> Ledger:
        return self.box.ledger

    @property
    def store(self) -> Store:
        return self.box.store

    @property
    def space(self) -> Space:
        return self.box.space


def _usable(config: DocksConfig) -> None:
    """ValueError, one sentence, for what the configuration cannot know."""
    try:
        make_folder(config.store)
    except OSError as error:
        if room.disk_full(error, config.store.parent):
            return
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
