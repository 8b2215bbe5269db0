"""Files that must not leak and must not be half there: 0600 from birth, fsync before the name."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

REPLACE_TRIES, REPLACE_SECONDS = 40, 0.05  # two seconds: a scanner is done by then


def write_private(path: Path, data: bytes) -> Path:
    """Write `data` readable by its owner only, whole or not at all, and on the disk on return.

    The file is born 0600 (a chmod afterwards would leave a moment in which others can open it).
    On Windows the mode says nothing: the folder is what keeps others out (`private_folder`).
    """
    private_folder(path.parent)
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:  # noqa: PTH123
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    _take_the_name(fresh, path)
    sync_folder(path.parent)
    return path


def private_folder(folder: Path) -> None:
    """Make `folder` if it is not there, for its owner only.

    0700 is the one mode that Windows' Python understands too: the folder's access list then names
    the user and the administrators, and what is made in it inherits that (3.11.10, 3.12.4).
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _take_the_name(fresh: Path, path: Path) -> None:
    """Replace `path`. Windows refuses while anybody reads it, such as a virus scanner: try on."""
    for left in range(REPLACE_TRIES, -1, -1):
        try:
            fresh.replace(path)
            return
        except PermissionError:
            if not left or os.name == "posix":
                raise
            time.sleep(REPLACE_SECONDS)


def append_line(path: Path, line: str) -> None:
    """Append one line and return once it is on the disk, with the file's name in its folder."""
    fresh = not path.exists()
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as out:  # noqa: PTH123
        out.write(line.encode() + b"\n")
        out.flush()
        os.fsync(out.fileno())
    if fresh:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make new names in `folder` survive a power cut (POSIX only; Windows cannot open a folder)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def locked(path: Path) -> Generator[None, None, None]:
    """Hold the lock file `path` against other processes and threads; waits for it."""
    private_folder(path.parent)
    with path.open("a+b") as file:
        if os.name == "nt":
            import msvcrt

            _until_locked(lambda: msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1))
            try:
                yield
            finally:
                msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)  # released when the file is closed
            yield


def _until_locked(lock: Callable[[], None]) -> None:
    """LK_LOCK gives up after ten seconds; the other one may be merging a long ledger."""
    while True:
        try:
            lock()
            return
        except OSError as error:
            if error.errno != errno.EDEADLK:
                raise
