"""The desk's parts put together, without HTTP: what it keeps, what it knows, what it can do."""

from __future__ import annotations

import asyncio
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
from edge_agent.desk.shift import Report, Shift
from edge_agent.desk.store import Store
from edge_agent.desk.tracks import Tracks


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
        self.places = load_places(config.places)
        self.started = time.time()
        self.store = Store(data_dir / "desk.db")
        self.accounts = Accounts(self.store, data_dir, config.idle_min * 60)
        self.journal = Journal(self.store, SYSLOG if config.syslog else None)
        self.shift = Shift(self.store, board, hands.report)
        self.checks = Checks(self.store, board, self.shift, hands.report, hands.boot)
        self.tracks = Tracks()

    async def run(self) -> None:
        await self.checks.start()
        await self.shift.tell()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.journal.follow(self.board))
            group.create_task(self.journal.prune())

    def close(self) -> None:
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
        }
