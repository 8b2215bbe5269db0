"""The desk's parts put together, without HTTP: what it keeps, what it knows, what it can do."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_agent.board import Board
from edge_agent.desk.accounts import Accounts
from edge_agent.desk.checks import Checks
from edge_agent.desk.config import DeskConfig, load_places
from edge_agent.desk.journal import SYSLOG, Journal
from edge_agent.desk.kept import Kept
from edge_agent.desk.mapfile import MapFile
from edge_agent.desk.on_scene import OnScene
from edge_agent.desk.points import Points
from edge_agent.desk.shift import Report, Shift
from edge_agent.desk.store import Store
from edge_agent.desk.tracks import Tracks

log = logging.getLogger(__name__)

SAVE_S = 60.0


@dataclass(frozen=True, slots=True)
class Hands:
    """What the rest of the agent does for a press. Each may raise Refused.

    seen(sos, going, who)  mute(who)  switch(output, on, who)  announce(file, times, who)
    answer(order, who, why): LookupError when it is not open
    """

    seen: Callable[[str, bool, str], Awaitable[None]]
    mute: Callable[[str], None]
    switch: Callable[[str, bool, str], Awaitable[None]]
    announce: Callable[[str, int, str], Awaitable[None]]
    answer: Callable[[str, str, str | None], Awaitable[None]]
    report: Report
    boot: str


@dataclass(frozen=True, slots=True)
class About:
    """What does not change while the agent runs: words for the page, positions in 1e-7 degree."""

    id: str = ""
    name: str = ""
    lat: int | None = None
    lon: int | None = None
    phones: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    outputs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    sensors: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    answer_s: int = 60


class DeskRoom:
    """Made before anything runs; `run()` for ever, `close()` last."""

    def __init__(
        self, config: DeskConfig, board: Board, about: About, hands: Hands, data_dir: Path
    ) -> None:
        self.config, self.board, self.about, self.hands = config, board, about, hands
        places = load_places(config.places)
        self.villages = places["villages"]
        self.started = time.time()
        self.store = Store(data_dir / "desk.db")
        self.accounts = Accounts(self.store, data_dir, config.idle_min * 60)
        self.journal = Journal(self.store, SYSLOG if config.syslog else None)
        self.shift = Shift(self.store, board, hands.report, alarm_s=config.unstaffed_min * 60)
        self.checks = Checks(self.store, board, self.shift, hands.report, hands.boot)
        self.kept = Kept(self.store, board)
        self.scene = OnScene(self.kept, board)
        self.tracks = Tracks(self.store)
        self.points = Points(self.store, board, places["points"])
        centre = (about.lat, about.lon) if about.lat is not None and about.lon is not None else None
        self.map = MapFile(config.map, centre)

    async def run(self) -> None:
        await self.checks.start()
        await self.shift.tell()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.journal.follow(self.board))
            group.create_task(self.journal.prune())
            group.create_task(self.shift.watch())
            group.create_task(self.kept.run())
            group.create_task(self._saving())

    async def _saving(self) -> None:
        """What may be lost for a minute is written once a minute: cards wear."""
        while True:
            await asyncio.sleep(SAVE_S)
            try:
                await self.store.do(self._save)
            except sqlite3.Error as error:  # a full disk must not take the page away
                log.warning("desk.db: tracks and visits are not kept: %s", error)

    def _save(self, db: sqlite3.Connection) -> None:
        self.points.save(db)
        self.tracks.save(db)

    def lifted(self) -> None:
        """The county ended the sealing off."""
        for order in list(self.board.view()["seal"]):
            self.kept.drop("seal", order)

    def close(self) -> None:
        with contextlib.suppress(sqlite3.Error):  # a full disk must not keep the agent from ending
            self.store.now(self._save)
        self.map.close()
        self.journal.close()
        self.store.close()

    async def sheet(self, shift: int) -> dict[str, Any]:
        """The hand-over sheet: who, totals, what happened, what is open and out of order now."""
        sheet = await self.shift.sheet(shift)
        began = sheet["shift"]["began"]
        ended = sheet["shift"]["ended"] or time.time()
        rows = await self.journal.rows(began, 2000)
        view = self.board.view()
        return {
            **sheet,
            "totals": await self.checks.totals("shift = ?", shift),
            "log": [row for row in reversed(rows) if row["at"] <= ended],
            "faults": view["fault"],
            "bays": view["bay"],
            "sos": view["sos"],
            "orders": {**view["order"], **view["seal"]},
            "alarms": {name: row for name, row in view["sensor"].items() if row.get("alarm")},
        }
