"""The operator log: who pressed what, and what happened by itself; kept half a year and longer."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import logging
import logging.handlers
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge_agent.board import Board, Row
from edge_agent.desk.store import Store

KEEP_S = 190 * 24 * 3600.0  # the law wants six months
PRUNE_S = 6 * 3600.0
SYSLOG = Path("/dev/log")

log = logging.getLogger("edge_agent.desk.operators")


class Journal:
    """`note(who, what, about)`; what is a key of words.json without its `log_`."""

    def __init__(
        self, store: Store, syslog: Path | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._store, self._clock = store, clock
        self._syslog = (
            logging.handlers.SysLogHandler(str(syslog), logging.handlers.SysLogHandler.LOG_AUTHPRIV)
            if syslog
            else None
        )
        if self._syslog:
            log.addHandler(self._syslog)

    async def note(self, who: str, what: str, **about: Any) -> None:
        """Durable when it returns."""
        said = json.dumps(about, ensure_ascii=False)
        log.info("desk who=%s what=%s about=%s", who or "-", what, said)
        at = self._clock()
        await self._store.do(
            lambda db: db.execute(
                "INSERT INTO log (at, who, what, about) VALUES (?,?,?,?)", (at, who, what, said)
            )
        )

    async def rows(self, since: float, limit: int = 500) -> list[dict[str, Any]]:
        """Newest first: at, who, what, about."""

        def read(db: sqlite3.Connection) -> list[dict[str, Any]]:
            found = db.execute(
                "SELECT at, who, what, about FROM log WHERE at >= ? ORDER BY id DESC LIMIT ?",
                (since, limit),
            )
            return [{**dict(row), "about": json.loads(row["about"])} for row in found]

        return await self._store.do(read)

    async def csv(self) -> str:
        """All of it, oldest first; with a byte order mark, which Excel wants for Chinese."""

        def read(db: sqlite3.Connection) -> str:
            out = io.StringIO()
            write = csv.writer(out)
            write.writerow(("time_utc", "unix_s", "who", "what", "about"))
            for row in db.execute("SELECT at, who, what, about FROM log ORDER BY id"):
                stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(row["at"]))
                write.writerow((stamp, row["at"], _cell(row["who"]), row["what"], row["about"]))
            return "\ufeff" + out.getvalue()

        return await self._store.do(read)

    async def follow(self, board: Board) -> None:
        """Note what happens by itself, for those who did not look. For ever."""
        before = {s: dict(rows) for s, rows in board.view().items()}
        async for change in board.changes():
            if change is None:  # lagged: what stands now is the new beginning
                before = {s: dict(rows) for s, rows in board.view().items()}
                continue
            section, key, row = change
            old = before[section].pop(key, None)
            if row is not None:
                before[section][key] = row
            what = happening(section, old, row)
            if what:
                about = {"key": key, **{k: v for k, v in (row or old or {}).items() if k in TOLD}}
                await self.note("", what, **about)

    async def prune(self) -> None:
        """Drop what is older than KEEP_S, for ever."""
        while True:
            await self._store.do(self._drop_old)
            await asyncio.sleep(PRUNE_S)

    def _drop_old(self, db: sqlite3.Connection) -> None:
        db.execute("DELETE FROM log WHERE at < ?", (self._clock() - KEEP_S,))

    def close(self) -> None:
        if self._syslog:
            log.removeHandler(self._syslog)
            self._syslog.close()


TOLD = ("unit", "discreet", "cmd", "why", "alarm", "member", "how")


def happening(section: str, old: Row | None, new: Row | None) -> str | None:
    """What a change of the board is worth telling of, as a key of words.json; or None."""

    def now(field: str) -> Any:
        return (new or {}).get(field)

    def was(field: str) -> Any:
        return (old or {}).get(field)

    if section == "sos":
        if old is None:
            return "sos_raised"
        if new is None:
            return "sos_closed"
        return "sos_answered" if now("answered") and not was("answered") else None
    if section == "uplink" and old is not None and now("up") != was("up"):
        return "uplink_up" if now("up") else "uplink_down"
    if section == "sensor" and now("alarm") != was("alarm"):
        return "sensor_alarm" if now("alarm") else "sensor_calm"
    if section == "fault" and (old is None) != (new is None):
        return "fault" if new is not None else "fault_over"
    if section == "order" and old is None:
        return "order"
    if section == "scene" and old is None:
        return "on_scene"
    if section == "seal" and (old is None) != (new is None):
        return "sealed" if new is not None else "seal_lifted"
    if section == "shift" and now("alarm") and not was("alarm"):
        return "unstaffed"
    if section == "unit" and now("silent_since") and not was("silent_since"):
        return "unit_silent"
    return None


def _cell(text: str) -> str:
    """A spreadsheet must not take a name for a formula."""
    return "'" + text if text[:1] in ("=", "+", "-", "@") else text
