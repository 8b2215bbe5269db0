"""Opening the ledger, whatever became of it. A dock with a spoilt database still takes cameras."""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from pathlib import Path

from edge_agent.docks import custody
from edge_agent.docks.ledger import Ledger

log = logging.getLogger(__name__)

CONTENT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
UNREADABLE = (sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ)


def recovered(path: Path, bags: Path, key: custody.PrivateKey) -> Ledger:
    """The ledger at `path`; a corrupt one is set aside (never deleted) and a new one begun.

    Sealed bags need no ledger: their manifests are beside them. Docking numbers go on above them.
    """
    aside: Path | None = None
    try:
        ledger = _checked(path, key)
    except sqlite3.DatabaseError as error:
        if not _spoilt(error):
            raise
        aside = path.with_name(f"{path.name}.corrupt-{time.time_ns()}")
        log.error("%s is corrupt (%s): set aside as %s", path, error, aside.name)
        for suffix in ("", "-wal", "-shm"):
            spoilt = path.with_name(path.name + suffix)
            if spoilt.exists():
                spoilt.rename(aside.with_name(aside.name + suffix))
        ledger = _checked(path, key)
    try:
        _number_above(ledger, bags)
        _opened(ledger, aside)
    except sqlite3.DatabaseError:
        ledger.close()
        raise
    return ledger


def _spoilt(error: sqlite3.DatabaseError) -> bool:
    """Its content is bad, or cannot be read. A full disk or a busy file spoils nothing."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    return code & 0xFF in CONTENT or code in UNREADABLE


def _checked(path: Path, key: custody.PrivateKey) -> Ledger:
    ledger = Ledger(path, key)
    try:
        (found,) = ledger.db.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(found)
    except sqlite3.DatabaseError:
        ledger.close()
        raise
    return ledger


def _number_above(ledger: Ledger, bags: Path) -> None:
    """A bag's number must never come twice."""
    numbers = [int(bag.name[:6]) for bag in bags.iterdir() if bag.name[:6].isdigit()]
    with ledger.transaction() as db:
        row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'docking'").fetchone()
        if row is None and numbers:
            db.execute("INSERT INTO sqlite_sequence VALUES ('docking', ?)", (max(numbers),))


def _opened(ledger: Ledger, aside: Path | None) -> None:
    """First row of a journal, and first after a change of key."""
    pem = custody.public_pem(ledger.key)
    last = ledger.db.execute(
        "SELECT detail FROM journal WHERE kind = 'OPENED' ORDER BY n DESC LIMIT 1"
    ).fetchone()
    if last is None or json.loads(last[0])["public_key"] != pem:
        ledger.append("OPENED", {"public_key": pem, "set_aside": aside.name if aside else None})
