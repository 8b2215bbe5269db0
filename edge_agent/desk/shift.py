"""Who is on (签到), since when; hand-over (交接班). The county hears of each change as cp_shift."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from edge_agent.board import Board
from edge_agent.desk.rights import Refused
from edge_agent.desk.store import Store

Report = Callable[[str, Mapping[str, str], Mapping[str, Any]], Awaitable[Any]]

BEIJING = timezone(timedelta(hours=8))  # what staff mean by a day; no summer time
MOST = 20  # people on, as the contract has it
LOOK_S = 1.0


def day(at: float) -> str:
    return datetime.fromtimestamp(at, BEIJING).date().isoformat()


class Shift:
    """A shift begins with the first who signs on, or with a hand-over; it has the date of that.

    Board section "shift", row "now": id, date, began, on [{who, since}], unstaffed, and alarm:
    nobody has been on for `alarm_s` (0: never said).
    """

    def __init__(
        self,
        store: Store,
        board: Board,
        report: Report,
        clock: Callable[[], float] = time.time,
        alarm_s: float = 0,
    ) -> None:
        self._store, self._board, self._report, self._clock = store, board, report, clock
        self._alarm_s = alarm_s
        self.on: list[dict[str, Any]] = []
        self.id, self.began = 0, 0.0
        self.left = 0.0  # when the last one signed off
        self._store.now(self._begin_if_none)
        self._store.now(self._read)
        self._show()

    def _begin_if_none(self, db: sqlite3.Connection) -> None:
        if db.execute("SELECT 1 FROM shift WHERE ended IS NULL").fetchone() is None:
            self._begin(db, self._clock())

    @staticmethod
    def _begin(db: sqlite3.Connection, now: float) -> None:
        db.execute("INSERT INTO shift (date, began) VALUES (?,?)", (day(now), now))

    def _read(self, db: sqlite3.Connection) -> None:
        now = db.execute("SELECT * FROM shift WHERE ended IS NULL ORDER BY id DESC").fetchone()
        self.id, self.began = now["id"], now["began"]
        rows = db.execute("SELECT who, since FROM duty WHERE until IS NULL ORDER BY since")
        self.on = [{"who": row["who"], "since": int(row["since"])} for row in rows]
        self.left = db.execute("SELECT max(until) FROM duty").fetchone()[0] or self.began

    def _show(self) -> None:
        gone = self._clock() - self.left
        alarm = not self.on and 0 < self._alarm_s <= gone
        about = {"id": self.id, "began": self.began, "left": self.left, "alarm": alarm}
        self._board.put("shift", "now", {**self.row(), **about})

    async def watch(self) -> None:
        """Say so once nobody has been on for too long, for ever."""
        while True:
            self._show()
            await asyncio.sleep(LOOK_S)

    def row(self) -> dict[str, Any]:
        """As cp_shift says it."""
        about = {"date": day(self.began), "began": int(self.began)}
        return {**about, "on": list(self.on), "unstaffed": not self.on}

    async def tell(self, rollcall: str | None = None) -> None:
        """Report who is on; `rollcall` answers that order."""
        more = {"rollcall": rollcall} if rollcall else {}
        await self._report("cp_shift", {}, {**self.row(), "tst": int(self._clock()), **more})

    async def sign_on(self, who: str) -> None:
        if any(row["who"] == who for row in self.on):
            raise Refused("err_is_on")
        if len(self.on) >= MOST:
            raise Refused("err_too_many")
        now = self._clock()

        def write(db: sqlite3.Connection) -> None:
            if not self.on:  # nobody was here: what comes now is a new shift
                db.execute("UPDATE shift SET ended = ? WHERE ended IS NULL", (now,))
                self._begin(db, now)
            db.execute("INSERT INTO duty (who, since) VALUES (?,?)", (who, now))
            self._read(db)

        await self._change(write)

    async def sign_off(self, who: str) -> None:
        if all(row["who"] != who for row in self.on):
            raise Refused("err_not_on")
        now = self._clock()

        def write(db: sqlite3.Connection) -> None:
            db.execute("UPDATE duty SET until = ? WHERE who = ? AND until IS NULL", (now, who))
            self._read(db)

        await self._change(write)

    async def hand_over(self, by: str, note: str) -> None:
        """End this shift with a note for the next; who is on stays on until he signs off."""
        now = self._clock()

        def write(db: sqlite3.Connection) -> None:
            db.execute(
                "UPDATE shift SET ended = ?, note = ?, ended_by = ? WHERE ended IS NULL",
                (now, note, by),
            )
            self._begin(db, now)
            self._read(db)

        await self._change(write)

    async def _change(self, write: Callable[[sqlite3.Connection], None]) -> None:
        await self._store.do(write)
        self._show()
        await self.tell()

    async def sheet(self, shift: int) -> dict[str, Any]:
        """What the hand-over sheet says of a shift: the shift's row, who was on, the one before."""

        def read(db: sqlite3.Connection) -> dict[str, Any]:
            row = db.execute("SELECT * FROM shift WHERE id = ?", (shift,)).fetchone()
            if row is None:
                raise Refused("err_no_shift", 404)
            ended = row["ended"] or self._clock()
            people = db.execute(
                "SELECT who, since, until FROM duty"
                " WHERE since < ? AND (until IS NULL OR until > ?) ORDER BY since",
                (ended, row["began"]),
            ).fetchall()
            before = db.execute("SELECT note FROM shift WHERE id < ? ORDER BY id DESC", (shift,))
            last = before.fetchone()
            return {
                "shift": dict(row),
                "people": [dict(person) for person in people],
                "note_before": last["note"] if last else "",
            }

        return await self._store.do(read)
