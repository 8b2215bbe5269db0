"""The desk's own SQLite file; nothing on the event loop waits for its disk."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")
SCHEMA = Path(__file__).with_name("desk.sql")


class Store:
    """`await do(work)`: one durable transaction. A file that is damaged is set aside."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            self._db = _open(path)
        except sqlite3.OperationalError as error:  # a disk that refuses: the SOS page must be there
            log.error("%s: %s; accounts, log and checks are in memory until a restart", path, error)
            self._db = _open(Path(":memory:"))
        except sqlite3.DatabaseError as error:
            aside = path.with_name(f"{path.name}.damaged-{int(time.time())}")
            path.rename(aside)
            log.error("%s: %s; set aside as %s, accounts begin anew", path, error, aside.name)
            self._db = _open(path)

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """work(connection) in one transaction; durable when this returns. Rolled back if it
        raises."""
        return await asyncio.to_thread(self.now, work)

    def now(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The same, in the calling thread."""
        with self._lock, self._db:
            return work(self._db)

    def close(self) -> None:
        with self._lock:
            self._db.close()


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, check_same_thread=False)
    try:
        db.row_factory = sqlite3.Row
        db.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
        )
        found = db.execute("PRAGMA quick_check").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        db.executescript(SCHEMA.read_text(encoding="utf-8"))
    except sqlite3.DatabaseError:
        db.close()
        raise
    return db
