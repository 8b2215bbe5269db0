"""How far a bay is, in memory, for the page: asking costs no disk."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from edge_agent.docks.states import State


@dataclass(slots=True)
class Progress:
    """What the page shows of a bay; written by its thread, read by anyone."""

    state: State = State.DETECTED
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
    moved_at: float = field(default_factory=time.monotonic)

    def stalled_s(self) -> float:
        """Seconds without a sign of life, while one is due."""
        busy = self.state in (State.UNLOCKING, State.MOUNTED_RO, State.COPYING, State.DETECTED)
        return time.monotonic() - self.moved_at if busy else 0.0
