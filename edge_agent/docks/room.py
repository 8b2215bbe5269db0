"""No room on the disk: recognised wherever it shows, and waited for, never died of.

Room is blocks and inodes. Either may be missing for a byte of a recording, for the first byte of a
new file, for a folder, for a row of the ledger, or for SQLite's own files when it opens.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from edge_agent.docks.ledger import Revoked

SPARE_BYTES = 256 * 1024  # below that SQLite cannot make the files beside a database
SPARE_INODES = 8
WAIT_S = (2.0, 60.0)  # first and longest wait before trying again
SAYS = "磁盘空间不足，请腾出空间 / the disk is full: make room, it goes on by itself"

T = TypeVar("T")


def free_bytes(folder: Path) -> int:
    """Bytes that new files may hold; 0 where no new file can be made any more."""
    at = os.statvfs(folder)
    if at.f_files and at.f_favail < SPARE_INODES:  # no f_files: inodes are made as needed (btrfs)
        return 0
    return at.f_bavail * at.f_frsize


def disk_full(error: BaseException, folder: Path) -> bool:
    """Whether `error` came of it: from the kernel, or from SQLite on `folder`'s file system."""
    if isinstance(error, sqlite3.OperationalError):
        kind = error.sqlite_errorcode & 0xFF
        if kind in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN):  # of its -wal and -shm
            return free_bytes(folder) < SPARE_BYTES
        return kind == sqlite3.SQLITE_FULL
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def longer(wait_s: float) -> float:
    """The wait after one of `wait_s` seconds that did not help; 0: the first."""
    return min(max(WAIT_S[0], 2 * wait_s), WAIT_S[1])


def until_room(
    call: Callable[[], T],
    folder: Path,
    full: Callable[[], object],
    revoked: Callable[[float], bool],
) -> T:
    """What `call` gives, as soon as it does not fail for want of room in `folder`.

    full() is told the first time; `revoked(s)` waits so long, and is true when the camera left:
    Revoked then. Other errors are the caller's.
    """
    wait = 0.0
    while True:
        try:
            return call()
        except (OSError, sqlite3.OperationalError) as error:
            if not disk_full(error, folder):
                raise
        if not wait:
            full()
        wait = longer(wait)
        if revoked(wait):
            raise Revoked("the camera is gone")
