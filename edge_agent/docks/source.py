"""A mounted camera as ingest sees it: what lies on it, and bytes of one file.

Nothing on the camera is trusted: links are not followed, nothing outside the mount is opened, and
a name decides nothing about where its copy goes (store.py does).
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

HEAD = 64 * 1024  # bytes at each end that tell two files of one name apart


@dataclass(frozen=True, slots=True)
class Found:
    """One regular file: path from the mount in bytes, size in bytes, the camera's mtime."""

    path: bytes
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """What is there and is not copied, and why. `fault`: it should have been."""

    path: bytes
    why: str
    fault: bool = False


class Opened(Protocol):
    """A file open for reading, at a position."""

    def readinto(self, buffer: memoryview) -> int: ...
    def seek(self, offset: int) -> object: ...
    def close(self) -> None: ...


class Source(Protocol):
    """One camera's file tree."""

    def walk(self) -> Iterator[Found | Skipped]: ...
    def open(self, path: bytes) -> Opened: ...


class _File:
    """Unbuffered: a short read is seen as the kernel gave it."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def readinto(self, buffer: memoryview) -> int:
        return os.readv(self._fd, [buffer])

    def seek(self, offset: int) -> int:
        return os.lseek(self._fd, offset, os.SEEK_SET)

    def close(self) -> None:
        os.close(self._fd)


class MountedSource:
    """A camera mounted (or simply lying) at `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def walk(self) -> Iterator[Found | Skipped]:
        """Files in path order, so that a docking's order is the same each time."""
        yield from self._folder(b"")

    def _folder(self, relative: bytes) -> Iterator[Found | Skipped]:
        try:
            with os.scandir(self._root / os.fsdecode(relative)) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            yield Skipped(relative, f"folder cannot be read: {error.strerror}", fault=True)
            return
        for entry in found:
            name = os.fsencode(entry.name)
            path = relative + b"/" + name if relative else name
            try:
                info = entry.stat(follow_symlinks=False)
            except OSError as error:
                yield Skipped(path, f"cannot be looked at: {error.strerror}", fault=True)
                continue
            if stat.S_ISDIR(info.st_mode):
                yield from self._folder(path)
            elif stat.S_ISREG(info.st_mode):
                yield Found(path, info.st_size, info.st_mtime_ns)
            else:
                yield Skipped(path, "a link, not a file" if entry.is_symlink() else "no file")

    def open(self, path: bytes) -> Opened:
        full = self._root / os.fsdecode(path)
        fd = os.open(full, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise OSError(f"{full} is no regular file any more")
        return _File(fd)


def fingerprint(source: Source, found: Found) -> str:
    """32 hex from the first and last 64 KiB: a camera reuses names, sizes and even times.

    OSError when the camera does not give them.
    """
    hashed = hashlib.sha256()
    with_ends = source.open(found.path)
    try:
        buffer = memoryview(bytearray(HEAD))
        for start in sorted({0, max(0, found.size - HEAD)}):
            with_ends.seek(start)
            want = min(HEAD, found.size - start)
            while want:
                got = with_ends.readinto(buffer[:want])
                if not got:
                    break  # a short file is found out, and told, by the copy
                hashed.update(buffer[:got])
                want -= got
    finally:
        with_ends.close()
    return hashed.hexdigest()[:32]


def recording_id(camera: str, found: Found, ends: str) -> str:
    """32 hex: the same file of the same camera, in whatever bay, has the same id."""
    hashed = hashlib.sha256()
    for part in (camera.encode(), found.path, b"%d" % found.size, b"%d" % found.mtime_ns):
        hashed.update(b"%d:" % len(part) + part)
    hashed.update(ends.encode())
    return hashed.hexdigest()[:32]
