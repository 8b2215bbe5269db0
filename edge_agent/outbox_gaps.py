"""The outbox's housekeeping: what was dropped here is told to the county (its gap rows become
`cp_gap` records), and disk that is free again is given back.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable
from typing import Any

from edge_agent.outbox import Outbox
from edge_agent.outbox_record import StoreFault
from edge_agent.outbox_store import vacuum
from edge_agent.outbox_thin import Whose, note_gap
from edge_agent.reporter import Refused, Reporter

log = logging.getLogger(__name__)

EVERY_S = 30.0
SOON_S = 2.0  # how soon after a disk is well again numbers it refused are declared
AT_ONCE = 200  # rows of one round: a checkpoint that dropped much must not then flood itself
KEY = "sender, boot, klass, why, clock"

Moment = Callable[[str, float], float | None]  # kernel boot, s in it -> Unix s


class Gaps:
    """`run()` for ever. Declared twice after a crash at worst, never not at all."""

    def __init__(
        self, outbox: Outbox, reporter: Reporter, moment: Moment = lambda boot, up: None
    ) -> None:
        self._outbox, self._reporter, self._moment = outbox, reporter, moment
        self._waiting: list[tuple[Whose, Refused]] = []

    async def run(self) -> None:
        while True:
            try:
                await self.declare()
                await self._outbox.do(vacuum)
            except StoreFault as fault:  # the page shows it already; the rows stay
                log.warning("gaps are declared later: %s", fault)
            await self._rest()

    async def _rest(self) -> None:
        """Until the next round, or until a disk that refused is well again."""
        until = time.monotonic() + EVERY_S
        while (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(left, SOON_S))
            if self._outbox.fault is None and (self._waiting or self._reporter.has_refused):
                return

    async def declare(self) -> int:
        """Report what is not declared yet; returns how many gaps."""
        await self._note_refused()
        rows = await self._outbox.do(
            lambda db: db.execute(
                f"SELECT {KEY}, low, high, count, since, until FROM gap LIMIT ?", (AT_ONCE,)
            ).fetchall()
        )
        for sender, boot, klass, why, clock, low, high, count, since, until in rows:
            fields: dict[str, Any] = {
                "from": max(low, 1),  # a will has no number, so none is missing
                "to": high, "count": count, "why": why, "klass": klass,
                "of": boot, "of_sender": sender,
            }  # fmt: skip
            for key, at in (("since", since), ("until", until)):
                when = self._moment(clock, at) if clock else at
                if when is not None:
                    fields[key] = int(when)
            await self._reporter.report("cp_gap", {}, fields)
            await self._outbox.do(_declared(count, (sender, boot, klass, why, clock)))
        return len(rows)

    async def _note_refused(self) -> None:
        """Numbers of ours that the disk refused are rows of `gap` as soon as it takes them."""
        self._waiting += [
            ((self._reporter.checkpoint, self._reporter.boot, klass, "refused", clock), gap)
            for (klass, clock), gap in self._reporter.refused().items()
        ]
        waiting = self._waiting

        def write(db: sqlite3.Connection) -> None:
            for whose, gap in waiting:
                note_gap(db, whose, gap)

        if waiting:
            await self._outbox.do(write)
            self._waiting = []


def _declared(count: int, key: tuple[Any, ...]) -> Callable[[sqlite3.Connection], object]:
    """Forget the row, unless more was dropped meanwhile: then it is declared anew, wider."""
    return lambda db: db.execute(
        f"DELETE FROM gap WHERE ({KEY}) = (?,?,?,?,?) AND count = ?", (*key, count)
    )
