"""How far a bay is, in memory, for the page: asking costs no disk."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from edge_agent.docks.source import Found, Opened, Skipped, Source
from edge_agent.docks.states import State


@dataclass(slots=True)
class Progress:
    """What the page shows of a bay; written by its thread, read by anyone."""

    camera: str
    state: State = State.DETECTED
    members: tuple[str, ...] = ()  # who carries it: by the names of its files, or as configured
    why: str | None = None
    files: int = 0
    bytes: int = 0
    bytes_done: int = 0
    file: str | None = None
    file_bytes: int = 0
    file_done: int = 0
    skipped: int = 0
    unreadable: int = 0  # of the skipped
    states: dict[str, State] = field(default_factory=dict[str, State])  # by recording
    offset_s: int | None = None
    asked_at: float | None = None  # the camera was asked for something and has not answered yet

    @contextmanager
    def asking(self) -> Generator[None]:
        """Around everything that only the camera can answer."""
        self.asked_at = time.monotonic()
        try:
            yield
        finally:
            self.asked_at = None

    def stalled_s(self) -> float:
        """Seconds for which the camera owes an answer."""
        asked_at = self.asked_at
        return time.monotonic() - asked_at if asked_at is not None else 0.0


class Watched:
    """A Source whose every question to the camera is timed."""

    def __init__(self, inner: Source, progress: Progress) -> None:
        self._inner, self._progress = inner, progress

    def walk(self) -> Iterator[Found | Skipped]:
        items = iter(self._inner.walk())
        while True:
            with self._progress.asking():
                item = next(items, None)
            if item is None:
                return
            yield item

    def open(self, path: bytes) -> Opened:
        with self._progress.asking():
            return _WatchedFile(self._inner.open(path), self._progress)


class _WatchedFile:
    def __init__(self, inner: Opened, progress: Progress) -> None:
        self._inner, self._progress = inner, progress

    def readinto(self, buffer: memoryview) -> int:
        with self._progress.asking():
            return self._inner.readinto(buffer)

    def seek(self, offset: int) -> None:
        self._inner.seek(offset)

    def close(self) -> None:
        self._inner.close()
