"""Bytes from a camera to the disk, chunk by chunk, and back from the disk to be believed.

A chunk's record is the SHA-256 of the file *up to its end*. One running hash gives all of them, so
resuming proves the copied part and carries on hashing where it stopped: the source is read once.

Order, per chunk: data written, fdatasync, then the record. While one chunk is synced the next is
already read. Reading back goes around the page cache (O_DIRECT; dropped pages where a file system
has no direct access): memory would agree with what we wrote whatever the disk holds.
"""

from __future__ import annotations

import errno
import hashlib
import mmap
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from edge_agent.docks.ledger import Revoked
from edge_agent.docks.source import Opened

PIECE = 256 * 1024  # bytes per read; a multiple of any sector
MARKS = list[tuple[int, bytes]]  # (end in bytes, SHA-256 up to there), ascending


class Running(Protocol):
    """A hashlib object."""

    def update(self, data: memoryview, /) -> None: ...
    def digest(self) -> bytes: ...
    def hexdigest(self) -> str: ...
    def copy(self) -> Self: ...


class SourceFault(Exception):
    """The camera did not give its bytes: `at` where, in the file."""

    def __init__(self, at: int, why: str) -> None:
        super().__init__(f"at byte {at}: {why}")
        self.at = at


class Claim:
    """A bay thread's right to write. Revoked when its camera leaves.

    A thread may hang in a read for minutes; when it returns, the same recording may be under way
    from another bay. So it writes only under the lock that revoking takes.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._gone = threading.Event()

    def revoke(self) -> None:
        with self._lock:
            self._gone.set()

    def revoked(self, within_s: float = 0) -> bool:
        return self._gone.wait(within_s)

    def write(self, fd: int, data: memoryview, offset: int) -> None:
        with self._lock:
            if self._gone.is_set():
                raise Revoked("the camera is gone")
            while data:
                done = os.pwrite(fd, data, offset)
                data, offset = data[done:], offset + done


@dataclass(frozen=True, slots=True)
class Checked:
    """What of a file on our disk is proven: bytes [0, end), and the hash state there."""

    end: int
    marks: int  # how many of the given marks held
    state: Running
    sm3: str | None
    why: str | None  # it went no further


def check(path: Path, marks: MARKS, sm3: bool = False) -> Checked:
    """Read `path` cold and compare it with the marks, up to the first that does not hold."""
    running: Running = hashlib.sha256()
    beside = hashlib.new("sm3") if sm3 else None
    good, end, held, why = running.copy(), 0, 0, None
    ahead = iter(marks)
    mark = next(ahead, None)
    at = 0
    try:
        for block in cold(path):
            while mark and block and at < mark[0]:
                piece = block[: mark[0] - at]
                running.update(piece)
                if beside:
                    beside.update(piece)
                at, block = at + len(piece), block[len(piece) :]
                if at == mark[0]:
                    if running.digest() != mark[1]:
                        why = f"bytes {end} to {at} on our disk are not what the camera gave"
                        break
                    good, end, held = running.copy(), at, held + 1
                    mark = next(ahead, None)
            if mark is None or why:
                break
        else:
            why = f"our disk holds {at} bytes of {mark[0]}" if mark else None
    except FileNotFoundError:
        why = "not on our disk"
    except OSError as error:
        why = f"our disk cannot read byte {at}: {error.strerror}"
    return Checked(end, held, good, beside.hexdigest() if beside and not why else None, why)


def cold(path: Path) -> Iterator[memoryview]:
    """Blocks of a file as the disk has them."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        direct = _direct(path)
        if direct is not None:
            os.close(fd)
            fd = direct
        buffer = memoryview(mmap.mmap(-1, 2 * PIECE))  # page-aligned, as O_DIRECT wants it
        while got := os.readv(fd, [buffer]):
            yield buffer[:got]
    finally:
        os.close(fd)


def _direct(path: Path) -> int | None:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECT)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.EOPNOTSUPP):
            return None
        raise


def copy(
    source: Opened,
    fd: int,
    size: int,
    start: Checked,
    chunk: int,
    claim: Claim,
    record: Callable[[int, bytes], None],
    moved: Callable[[int], None],
) -> None:
    """Bytes [start.end, size) of `source` to `fd`, a record after every `chunk` bytes.

    Raises SourceFault (the camera), Revoked (it left), OSError (our disk).
    """
    running = start.state.copy()
    buffer = memoryview(bytearray(PIECE))
    at = start.end
    with ThreadPoolExecutor(1, "dock-sync") as pool:
        syncing: Future[None] | None = None

        def sync(end: int, prefix: bytes) -> None:
            os.fdatasync(fd)
            record(end, prefix)

        _seek(source, at)
        while at < size:
            until = min(at + chunk, size)
            while at < until:
                piece = _read(source, buffer[: min(PIECE, until - at)], at, size)
                claim.write(fd, piece, at)
                running.update(piece)
                at += len(piece)
                moved(at)
            if syncing:
                syncing.result()
            syncing = pool.submit(sync, at, running.digest())
        if syncing:
            syncing.result()


def _seek(source: Opened, at: int) -> None:
    try:
        source.seek(at)
    except OSError as error:
        raise SourceFault(at, error.strerror or str(error)) from error


def _read(source: Opened, buffer: memoryview, at: int, size: int) -> memoryview:
    try:
        got = source.readinto(buffer)
    except OSError as error:
        raise SourceFault(at, error.strerror or str(error)) from error
    if not got:  # no error, no bytes: seen when a reader was pulled
        raise SourceFault(at, f"the camera gave {at} of {size} bytes and says that is all")
    return buffer[:got]
