"""A camera whose readings go wrong where a test says so; a wrapper around a real source."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from edge_agent.docks.source import HEAD, Found, MountedSource, Opened, Skipped


@dataclass
class Fault:
    """What happens to reads of files whose name ends in `suffix`, from byte `at` on.

    kind: "error" EIO in [at, until); "short" end of file; "hang" until `free` is set, then rubbish;
    "call" runs `call` once, then reads on as the wrapped source does; "slow" waits for `free` 20 ms
    a read.
    """

    kind: str
    at: int = HEAD
    until: int = 1 << 62
    suffix: bytes = b""
    call: Callable[[], object] = lambda: None
    free: threading.Event = field(default_factory=threading.Event)
    met: threading.Event = field(default_factory=threading.Event)
    called: bool = False


class FaultySource:
    """`make_source` for Docks: FaultySource.of(faults, ...)."""

    def __init__(self, root: Path, faults: list[Fault], read: Callable[[int], None]) -> None:
        self._inner = MountedSource(root)
        self._faults = faults
        self._read = read

    def walk(self) -> Iterator[Found | Skipped]:
        return self._inner.walk()

    def open(self, path: bytes) -> Opened:
        mine = [fault for fault in self._faults if path.endswith(fault.suffix)]
        return _Opened(self._inner.open(path), mine, self._read)


class _Opened:
    def __init__(self, inner: Opened, faults: list[Fault], read: Callable[[int], None]) -> None:
        self._inner, self._faults, self._read = inner, faults, read
        self._at = 0
        self._copying = False  # fingerprints read 64 KiB, copies more

    def seek(self, offset: int) -> None:
        self._at = offset
        self._inner.seek(offset)

    def close(self) -> None:
        self._inner.close()

    def readinto(self, buffer: memoryview) -> int:
        if len(buffer) > HEAD:
            self._copying = True
        for fault in self._faults if self._copying else ():
            end = self._at + len(buffer)
            if end <= fault.at or self._at >= fault.until:
                continue
            if self._at < fault.at:
                buffer = buffer[: fault.at - self._at]  # good bytes first, the fault next time
                continue
            fault.met.set()
            if fault.kind == "short":
                return 0
            if fault.kind == "error":
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            if fault.kind == "hang":
                fault.free.wait()
                buffer[:] = b"\xff" * len(buffer)  # what a dead device gives when it wakes
                return len(buffer)
            elif fault.kind == "slow":
                fault.free.wait(0.02)
            elif not fault.called:
                fault.called = True
                fault.call()
        got = self._inner.readinto(buffer)
        self._at += got
        self._read(got)
        return got


def faulty(
    *faults: Fault, read: Callable[[int], None] = lambda got: None
) -> Callable[[Path], FaultySource]:
    """For Docks(make_source=…). read(bytes) is told of everything that was read."""
    return lambda root: FaultySource(root, list(faults), read)
