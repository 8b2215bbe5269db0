"""Checks of passers-by (登记): kept here, sent as cp_check, a slip taken back by its number."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from edge_agent.board import Board
from edge_agent.desk.rights import Refused
from edge_agent.desk.shift import BEIJING, Report, Shift
from edge_agent.desk.store import Store

Totals = dict[str, int]  # "person pass" -> n, for those that are not 0


class Checks:
    """`record`, `undo`; board section "check", row "totals": shift, day, operations, last."""

    def __init__(
        self,
        store: Store,
        board: Board,
        shift: Shift,
        report: Report,
        boot: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._board, self._shift = store, board, shift
        self._report, self._boot, self._clock = report, boot, clock

    async def start(self) -> None:
        """Send what a power cut kept from the county, show the totals."""
        rows = await self._store.do(
            lambda db: db.execute("SELECT * FROM checked WHERE boot IS NULL ORDER BY at").fetchall()
        )
        for row in rows:
            await self._send(dict(row))
        await self.show()

    async def record(
        self, check_id: str, what: str, outcome: str, plate: str, operation: str, who: str
    ) -> None:
        """One check; a second time with the same id is no second check."""
        row: dict[str, Any] = {
            "id": check_id,
            "at": self._clock(),
            "shift": self._shift.id,
            "what": what,
            "outcome": outcome,
            "plate": plate,
            "operation": operation,
            "who": who,
        }
        new = await self._store.do(
            lambda db: (
                db.execute(
                    "INSERT OR IGNORE INTO checked"
                    " (id, at, shift, what, outcome, plate, operation, who)"
                    " VALUES (:id, :at, :shift, :what, :outcome, :plate, :operation, :who)",
                    row,
                ).rowcount
            )
        )
        if new:
            await self._send(row)
            await self.show()

    async def _send(self, row: dict[str, Any]) -> None:
        event = await self._report("cp_check", {}, await self._fields(row))
        await self._store.do(
            lambda db: db.execute(
                "UPDATE checked SET boot = ?, seq = ? WHERE id = ?",
                (event.boot, event.seq, row["id"]),
            )
        )

    async def undo(self, check_id: str) -> None:
        """Take one back: the county knows it by its number, and by the boot if that is over."""
        row = await self._store.do(
            lambda db: db.execute(
                "SELECT * FROM checked WHERE id = ? AND undone_at IS NULL", (check_id,)
            ).fetchone()
        )
        if row is None:
            raise Refused("err_no_check", 404)
        if row["boot"] is None:  # a fault kept it from the county: it hears of both
            await self._send(dict(row))
            return await self.undo(check_id)
        now = self._clock()
        await self._store.do(
            lambda db: db.execute("UPDATE checked SET undone_at = ? WHERE id = ?", (now, check_id))
        )
        fields = {**await self._fields(dict(row)), "undo": row["seq"], "tst": int(now)}
        if row["boot"] != self._boot:
            fields["undo_boot"] = row["boot"]
        await self._report("cp_check", {}, fields)
        await self.show()

    async def _fields(self, row: dict[str, Any]) -> dict[str, Any]:
        """As cp_check says it; persons and vehicles are the shift's running totals."""
        totals = await self.totals("shift = ?", row["shift"])
        optional = {key: row[key] for key in ("plate", "operation", "who") if row[key]}
        return {
            "what": row["what"],
            "outcome": row["outcome"],
            "tst": int(row["at"]),
            "persons": sum(n for key, n in totals.items() if key.startswith("person")),
            "vehicles": sum(n for key, n in totals.items() if key.startswith("vehicle")),
            **optional,
        }

    async def totals(self, where: str, *values: Any) -> Totals:
        """Counts by "what outcome" of what was not taken back; `where` is ours, never a user's."""
        found = await self._store.do(
            lambda db: db.execute(
                "SELECT what || ' ' || outcome, count(*) FROM checked"
                f" WHERE undone_at IS NULL AND {where} GROUP BY 1",
                values,
            ).fetchall()
        )
        return {row[0]: row[1] for row in found}

    async def show(self) -> None:
        """Put the totals on the board."""
        midnight = datetime.fromtimestamp(self._clock(), BEIJING).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        today = (midnight.timestamp(), (midnight + timedelta(days=1)).timestamp())

        def read(db: sqlite3.Connection) -> tuple[dict[str, int], list[dict[str, Any]]]:
            operations = db.execute(
                "SELECT operation, count(*) FROM checked WHERE undone_at IS NULL"
                " AND operation != '' GROUP BY operation"
            )
            last = db.execute(
                "SELECT id, at, what, outcome, plate, operation, who, undone_at FROM checked"
                " ORDER BY at DESC LIMIT 8"
            )
            return {row[0]: row[1] for row in operations}, [dict(row) for row in last]

        operations, last = await self._store.do(read)
        self._board.put(
            "check",
            "totals",
            {
                "shift": await self.totals("shift = ?", self._shift.id),
                "day": await self.totals("at >= ? AND at < ?", *today),
                "operations": operations,
                "last": last,
            },
        )
