"""What the outbox does when its disk fails. Used by the writer thread only.

| what happened | what is done |
| --- | --- |
| damaged, or not this agent's | set aside under a new name; what is legible is taken over |
| disk full | the reserve is given back, telemetry thinned, the file shrunk; then once more |
| read-only, I/O error, cannot be opened | said in one sentence; opened again at the next attempt |
| the same at the start | what can be read is: SOSs that wait, small states of the rooms |

Records that the disk refuses are refused to their sender, who keeps them. SOSs stay in memory and
on the wire, and are tried again.
"""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
import time
from typing import NamedTuple

from edge_agent.outbox_file import ForeignFile
from edge_agent.outbox_record import CUSTODY, LANE_SHIFT, LANES, SOS, Batch, Held, StoreFault
from edge_agent.outbox_store import Store

log = logging.getLogger(__name__)

PAUSE_S = 1.0  # between attempts to open a file that could not be opened
PAGE = 512  # rows taken over at a time
ATTEMPTS = 3  # with one batch: a remedy that does not help is not repeated for ever

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_SAYS = {
    sqlite3.SQLITE_BUSY: "another program holds the file; end that program",
    sqlite3.SQLITE_FULL: "the disk is full; free some space or put in a larger card",
    sqlite3.SQLITE_READONLY: "the disk is read-only (a failing card does this); replace the card",
    sqlite3.SQLITE_IOERR: "the disk reports an error; replace the card",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened; check the folder's owner and the disk",
}


class Opened(NamedTuple):
    """What the file held when it was opened; `kept` only where it could be read and no more."""

    sos: list[Held]
    last_number: int
    kept: dict[str, bytes]


class Recovery:
    """A store that is opened again, set aside or given room as needed."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.fault: str | None = None  # one sentence, None while all is well
        self.aside: list[str] = []  # files set aside since the start, newest last
        self._open = False
        self._tried = -PAUSE_S

    @property
    def said(self) -> str | None:
        """That a file was set aside since the start, in one sentence."""
        if not self.aside:
            return None
        return (
            f"{self.store.path}：已损坏，移到 {self.aside[-1]}，请送县里"
            f" / was damaged and is now {self.aside[-1]}: hand that to the county"
        )

    def open(self) -> Opened:
        """Open the file; a fault is kept in `fault`, not raised."""
        for _ in range(ATTEMPTS):
            try:
                self._reopen()
                return Opened(self.store.page(SOS, 0, -1), self.store.last_number(), {})
            except (sqlite3.Error, OSError) as error:
                if not self._remedy(error, Batch()):
                    break
        return self._read()

    def _read(self) -> Opened:
        """From a file that cannot be written."""
        file = Store(self.store.path, self.store.bounds)
        try:
            file.attach()
            kept = dict(file.db.execute("SELECT key, value FROM kept").fetchall())
            return Opened(file.page(SOS, 0, -1), file.last_number(), kept)
        except (sqlite3.Error, OSError) as error:
            log.error("%s: nothing can be read: %s", self.store.path, error)
            # numbers that the file cannot have given yet, should the disk be well again
            return Opened([], (1 << 53) + time.time_ns() // 1000, {})
        finally:
            file.close()

    def apply(self, batch: Batch) -> str | None:
        """Commit the batch. Returns None, or in one sentence why the disk did not take it."""
        for _ in range(ATTEMPTS):
            try:
                self._reopen()
                self.store.apply(batch)
            except (sqlite3.Error, OSError) as error:
                if not self._remedy(error, batch):
                    break
            else:
                self.fault = None
                return None
        for _, future in batch.works:
            future.set_exception(StoreFault(self.fault))
        return self.fault or "the disk did not take a record"

    def page(self, lane: int, after: int, limit: int) -> list[Held]:
        """Rows of a lane; none while the disk cannot be read."""
        try:
            self._reopen()
            return self.store.page(lane, after, limit)
        except (sqlite3.Error, OSError) as error:
            self._remedy(error, Batch())
            return []

    def _reopen(self) -> None:
        if self._open:
            return
        wait = self._tried + PAUSE_S - time.monotonic()
        if wait > 0 and self.fault is not None:
            raise OSError(errno.EAGAIN, self.fault)
        self._tried = time.monotonic()
        self.store.open()
        self._open = True

    def _remedy(self, error: Exception, batch: Batch) -> bool:
        """Do what the table says; True when another attempt may help now."""
        if isinstance(error, OSError) and error.errno == errno.EAGAIN:
            return False
        code = self._code(error)
        if code in _DAMAGED:
            return self._set_aside(error)
        if code == sqlite3.SQLITE_FULL and self._open and self._make_room(batch):
            return True
        said = _SAYS.get(code, "the disk did not take a record; run `checkpoint-agent doctor`")
        self.fault = f"{self.store.path}: {said} ({error})"
        log.error("%s", self.fault)
        if code != sqlite3.SQLITE_FULL:
            self._shut()
        return False

    def _make_room(self, batch: Batch) -> bool:
        try:
            return self.store.make_room(batch.pinned)
        except (sqlite3.Error, OSError) as error:
            log.warning("%s: no room could be made: %s", self.store.path, error)
            return False

    def _shut(self) -> None:
        self._open = False
        self.store.close()

    def _set_aside(self, error: Exception) -> bool:
        self._shut()
        self._tried = -PAUSE_S
        try:
            old = self.store.set_aside(time.strftime("%Y%m%dT%H%M%S", time.gmtime()))
            self.store.open()
            self._open = True
        except (sqlite3.Error, OSError) as again:
            self.fault = f"{self.store.path}: damaged, and cannot be set aside ({again})"
            log.error("%s", self.fault)
            return False
        self.aside.append(old.name)
        taken = self._take_over(Store(old, self.store.bounds))
        log.error("%s: %s; set aside as %s, %d records taken over",
                  self.store.path, error, old.name, taken)  # fmt: skip
        return True

    def _take_over(self, old: Store) -> int:
        """Copy the records that can still be read; each lane until the damage."""
        taken = 0
        try:
            old.attach()
        except (sqlite3.Error, OSError) as error:
            log.warning("%s: nothing legible: %s", old.path, error)
            return 0
        for lane in LANES:
            after = lane << LANE_SHIFT
            try:
                while rows := old.page(lane, after, PAGE if lane > CUSTODY else 1):
                    self.store.apply(Batch(inserts=rows))
                    taken += len(rows)
                    after = rows[-1].id
            except sqlite3.Error as error:
                log.warning("%s: lane %d ends at the damage: %s", old.path, lane, error)
        old.close()
        return taken

    def _code(self, error: Exception) -> int:
        """The SQLite primary result code that fits the error."""
        if isinstance(error, OSError):
            known = {errno.ENOSPC: sqlite3.SQLITE_FULL, errno.EROFS: sqlite3.SQLITE_READONLY}
            return known.get(error.errno or 0, sqlite3.SQLITE_IOERR)
        if isinstance(error, ForeignFile):
            return sqlite3.SQLITE_NOTADB
        extended: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_IOERR)
        code = extended & 0xFF
        if code == sqlite3.SQLITE_CANTOPEN and self._read_only():
            return sqlite3.SQLITE_READONLY
        return code

    def _read_only(self) -> bool:
        """Whether the disk itself is: SQLite says only that it cannot open its log."""
        try:
            return bool(os.statvfs(self.store.path.parent).f_flag & os.ST_RDONLY)
        except OSError:
            return False
