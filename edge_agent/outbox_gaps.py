"""The outbox's housekeeping: what was dropped here is told to the county (its gap rows become
`cp_gap` records), and disk that is free again is given back.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from edge_agent.outbox import Outbox
from edge_agent.outbox_store import vacuum

EVERY_S = 30.0
AT_ONCE = 200  # rows of one round: a checkpoint that dropped much must not then flood itself

Report = Callable[[str, Mapping[str, str], Mapping[str, Any]], Awaitable[object]]


class Gaps:
    """`run()` for ever. Declared twice after a crash at worst, never not at all."""

    def __init__(self, outbox: Outbox, report: Report, boot: str, checkpoint: str) -> None:
        self._outbox, self._report = outbox, report
        self._boot, self._checkpoint = boot, checkpoint

    async def run(self) -> None:
        while True:
            await self.declare()
            await self._outbox.do(vacuum)
            await asyncio.sleep(EVERY_S)

    async def declare(self) -> int:
        """Report what is not declared yet; returns how many gaps."""
        rows = await self._outbox.do(
            lambda db: db.execute("SELECT * FROM gap LIMIT ?", (AT_ONCE,)).fetchall()
        )
        for sender, boot, klass, why, low, high, count, since, until in rows:
            fields: dict[str, Any] = {
                "from": low, "to": high, "count": count, "why": why, "klass": klass,
                "of": boot, "of_sender": sender, "since": int(since), "until": int(until),
            }  # fmt: skip
            if low < 1:  # a will: it has no number, so none is missing
                fields["from"] = 1
            await self._report("cp_gap", {}, fields)
            await self._outbox.do(_declared(sender, boot, klass, why, count))
        return len(rows)


def _declared(
    sender: str, boot: str, klass: int, why: str, count: int
) -> Callable[[sqlite3.Connection], object]:
    """Forget the row, unless more was dropped meanwhile: then it is declared anew, wider."""
    return lambda db: db.execute(
        "DELETE FROM gap WHERE sender = ? AND boot = ? AND klass = ? AND why = ? AND count = ?",
        (sender, boot, klass, why, count),
    )
