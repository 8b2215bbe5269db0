"""The outbox's SQLite file: made, opened, set aside; the reserve that a full disk is given back."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from importlib import resources
from pathlib import Path

from edge_agent.outbox_record import StoreFault

APPLICATION_ID = 0x50545243  # "PTRC"
SCHEMA = 2
# What an older schema lacks, by its number; each brings the file to the next.
UPGRADES = {
    1: """
        ALTER TABLE record ADD COLUMN stamp TEXT;
        ALTER TABLE gap RENAME TO gap_1;
        CREATE TABLE gap (
            sender TEXT NOT NULL, boot TEXT NOT NULL, klass INTEGER NOT NULL, why TEXT NOT NULL,
            clock TEXT NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL,
            count INTEGER NOT NULL, since REAL NOT NULL, until REAL NOT NULL,
            PRIMARY KEY (sender, boot, klass, why, clock)
        ) WITHOUT ROWID;
        INSERT INTO gap SELECT sender, boot, klass, why, '', low, high, count, since, until
            FROM gap_1;
        DROP TABLE gap_1;
    """,
}
RESERVE = 4 << 20  # bytes set aside, given back to the disk when it is full
LOG_BYTES = 8 << 20  # that the write-ahead log keeps after a burst
BUSY_S = 5  # for another process that has the file locked
_PARTS = ("", "-wal", "-shm")


class ForeignFile(sqlite3.DatabaseError):
    """A database, but not this agent's, or of another version."""


class DatabaseFile:
    """`open()` or `attach()`, then `db`. sqlite3.Error and OSError pass through to the caller."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db: sqlite3.Connection | None = None

    @property
    def db(self) -> sqlite3.Connection:
        if self._db is None:
            raise StoreFault(f"{self.path}: not open")
        return self._db

    def open(self) -> None:
        """Open or create. sqlite3.DatabaseError when the file is damaged or someone else's."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(
            self.path,
            isolation_level=None,
            check_same_thread=False,
            timeout=BUSY_S,
            cached_statements=64,
        )
        try:
            _prepare(db)
        except BaseException:
            db.close()
            raise
        self._db = db
        _sync_directory(self.path.parent)
        self.lay_reserve()

    def attach(self) -> None:
        """Open only to read, log included, on a disk that takes nothing.

        No lock and no shared memory file: both would have to be written.
        """
        uri = f"{self.path.absolute().as_uri()}?mode=ro&vfs=unix-none"
        db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db = db

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def set_aside(self, stamp: str) -> Path:
        """Rename the database and its log, so that a new one can be made. Returns the new name."""
        self.close()
        aside = self.path.with_name(f"{self.path.name}.aside-{stamp}")
        for suffix in _PARTS:
            part = self.path.with_name(self.path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
        return aside

    @property
    def _reserve(self) -> Path:
        return self.path.with_name(self.path.name + ".reserve")

    def lay_reserve(self) -> None:
        """Fill the reserve: on a full disk even a DELETE needs room in the log."""
        if not self._reserve.exists():
            with contextlib.suppress(OSError):  # no room for it: then it is not given back either
                descriptor = os.open(self._reserve, os.O_CREAT | os.O_WRONLY, 0o600)
                try:
                    os.posix_fallocate(descriptor, 0, RESERVE)
                finally:
                    os.close(descriptor)

    def spend_reserve(self) -> bool:
        """Give the reserve back to the disk; False when there was none."""
        had = self._reserve.exists()
        self._reserve.unlink(missing_ok=True)
        return had

    def shrink_log(self) -> None:
        """Move the log into the database and cut it to nothing."""
        self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _prepare(db: sqlite3.Connection) -> None:
    (owner,) = db.execute("PRAGMA application_id").fetchone()
    (schema,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    ours = owner == APPLICATION_ID and (schema == SCHEMA or schema in UPGRADES)
    if tables and not ours:
        raise ForeignFile(f"application_id {owner}, schema {schema}: not this agent's")
    if not tables:
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
    if not tables:
        sql = resources.files("edge_agent").joinpath("outbox.sql").read_text("utf-8")
        db.executescript(
            f"BEGIN; {sql}; PRAGMA application_id = {APPLICATION_ID};"
            f"PRAGMA user_version = {SCHEMA}; COMMIT;"
        )
        schema = SCHEMA
    while schema < SCHEMA:
        sql, schema = UPGRADES[schema], schema + 1
        db.executescript(f"BEGIN; {sql}; PRAGMA user_version = {schema}; COMMIT;")


def _sync_directory(folder: Path) -> None:
    """A new file's name is durable only once its directory is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
