"""SQLite under the ledger: one durable transaction at a time, and the journal in it."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from edge_agent.docks import custody
from edge_agent.docks.rows import Docking

SCHEMA = Path(__file__).with_name("ledger.sql")


class Database:
    """Open or make the database at `path`; `key` signs the journal."""

    def __init__(
        self, path: Path, key: custody.PrivateKey, now: Callable[[], float] = time.time
    ) -> None:
        self.key = key
        self.clock = now
        self._lock = threading.RLock()
        self.on_journal: Callable[[], object] = lambda: None  # called after a commit with news
        self.db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
        try:
            self.db.execute("PRAGMA journal_mode = WAL")
            self.db.execute("PRAGMA synchronous = FULL")
            self.db.execute("PRAGMA foreign_keys = ON")
            self.db.executescript(SCHEMA.read_text())
        except sqlite3.DatabaseError:
            self.db.close()  # it may be tried again, or set aside
            raise

    def close(self) -> None:
        with self._lock:
            self.db.close()

    def now_ms(self) -> int:
        return int(self.clock() * 1000)

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        """Durable when the block ends; nothing happened when it raises."""
        with self._lock:
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield self.db
                self.db.execute("COMMIT")
            except BaseException:
                if self.db.in_transaction:  # a full disk may have rolled it back already
                    self.db.execute("ROLLBACK")
                raise

    def append(
        self,
        kind: str,
        detail: custody.Detail | None = None,
        *,
        docking: Docking | None = None,
        bay: str | None = None,
        recording: str | None = None,
    ) -> int:
        """One custody event that is no recording's state; its row number."""
        with self.transaction() as db:
            n = self.note(db, kind, detail or {}, docking, bay, recording)
        self.on_journal()
        return n

    def note(
        self,
        db: sqlite3.Connection,
        kind: str,
        detail: custody.Detail,
        docking: Docking | None,
        bay: str | None = None,
        recording: str | None = None,
    ) -> int:
        """The same inside the caller's transaction."""
        return custody.append(
            db,
            self.key,
            self.now_ms(),
            kind,
            detail,
            bay=docking.bay if docking else bay,
            docking=docking.id if docking else None,
            recording=recording,
        )

    def journal(self, beyond: int = 0, limit: int = -1) -> list[custody.Row]:
        with self._lock:
            rows = self.db.execute(
                "SELECT * FROM journal WHERE n > ? ORDER BY n LIMIT ?", (beyond, limit)
            )
            return [custody.Row(*row) for row in rows]

    def last(self) -> int:
        """Number of the journal's last row: while it stays, nothing has happened."""
        with self._lock:
            return self.db.execute("SELECT coalesce(max(n), 0) FROM journal").fetchone()[0]

    def count(self, recording: str, kind: str) -> int:
        """How often it came to be `kind`."""
        with self._lock:
            return self.db.execute(
                "SELECT count(*) FROM journal WHERE recording = ? AND kind = ?", (recording, kind)
            ).fetchone()[0]

    def relayed(self) -> int:
        with self._lock:
            return self.db.execute("SELECT n FROM relayed").fetchone()[0]

    def set_relayed(self, n: int) -> None:
        with self.transaction() as db:
            db.execute("UPDATE relayed SET n = ?", (n,))
