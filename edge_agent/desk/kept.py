"""Rows of the board that outlive a restart: who reached an SOS, what is sealed off."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable

from edge_agent.board import Board, Row
from edge_agent.desk.store import Store

Write = Callable[[sqlite3.Connection], object]


class Kept:
    """`put` and `drop` show at once and are on the disk soon after; `run()` writes, for ever."""

    def __init__(self, store: Store, board: Board) -> None:
        self._store, self._board = store, board
        self._writes: asyncio.Queue[Write] = asyncio.Queue()
        for section, key, row in store.now(_read):
            board.put(section, key, row)

    def put(self, section: str, key: str, row: Row) -> None:
        self._board.put(section, key, row)
        said = json.dumps(self._board.get(section, key), ensure_ascii=False)
        self._writes.put_nowait(
            lambda db: db.execute(
                "INSERT OR REPLACE INTO kept (section, key, row) VALUES (?,?,?)",
                (section, key, said),
            )
        )

    def drop(self, section: str, key: str) -> None:
        self._board.drop(section, key)
        self._writes.put_nowait(
            lambda db: db.execute("DELETE FROM kept WHERE section = ? AND key = ?", (section, key))
        )

    async def run(self) -> None:
        while True:
            await self._store.do(await self._writes.get())
            self._writes.task_done()

    async def written(self) -> None:
        """Once everything so far is on the disk."""
        await self._writes.join()


def _read(db: sqlite3.Connection) -> list[tuple[str, str, Row]]:
    rows = db.execute("SELECT section, key, row FROM kept").fetchall()
    return [(row["section"], row["key"], json.loads(row["row"])) for row in rows]
