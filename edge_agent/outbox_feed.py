"""What leaves next: a short run of each lane in memory, the rest on disk. Pure.

Lanes are served in their order (SOS, custody, events, telemetry), each oldest first. A lane holds
at most HOT records here, so that three days' backlog costs no memory; SOS is never left on disk
only. `behind` means: the lane has records on disk that are newer than its last one here, so a
freshly committed one must wait its turn there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from edge_agent.outbox_record import LANE_SHIFT, LANES, SOS, Held

HOT = 512  # records of one lane in memory
LOW = 128  # so few left: read the next page


class Feed:
    """Records in the order they should leave."""

    def __init__(self) -> None:
        self._lanes: list[deque[Held]] = [deque() for _ in LANES]
        self._last: list[int] = [lane << LANE_SHIFT for lane in LANES]  # newest id ever here
        self.behind: list[bool] = [True for _ in LANES]

    def committed(self, held: Held) -> None:
        """A record is on disk (an SOS: submitted), newer than every one before it."""
        lane = held.lane
        if lane != SOS and (self.behind[lane] or len(self._lanes[lane]) >= HOT):
            self.behind[lane] = True
            return
        self._lanes[lane].append(held)
        self._last[lane] = held.id

    def page_wanted(self) -> tuple[int, int, int] | None:
        """(lane, after id, how many) to read from disk now, or None."""
        for lane in LANES:
            if self.behind[lane] and len(self._lanes[lane]) <= LOW:
                return lane, self._last[lane], HOT - len(self._lanes[lane])
        return None

    def page(self, lane: int, wanted: int, rows: list[Held]) -> None:
        """The answer to `page_wanted`. Fewer rows than wanted: nothing newer was on disk."""
        self._lanes[lane].extend(rows)
        if rows:
            self._last[lane] = rows[-1].id
        self.behind[lane] = len(rows) >= wanted

    def next(self, sos_only: bool = False) -> Held | None:
        """Take the next record; with `sos_only` nothing but an SOS."""
        for lane in (SOS,) if sos_only else LANES:
            if self._lanes[lane]:
                return self._lanes[lane].popleft()
        return None

    def give_back(self, rows: Iterable[Held]) -> None:
        """Records taken but not delivered go back to where they were, oldest first."""
        for held in sorted(rows, reverse=True):
            self._lanes[held.lane].appendleft(held)

    def forget(self, gone: Callable[[Held], bool]) -> None:
        """Drop SOS records that are no longer wanted."""
        self._lanes[SOS] = deque(held for held in self._lanes[SOS] if not gone(held))

    def heads(self) -> list[Held]:
        """The oldest record of each lane that has one here."""
        return [lane[0] for lane in self._lanes if lane]

    def rows(self) -> list[Held]:
        """Everything here."""
        return [held for lane in self._lanes for held in lane]

    def pinned(self) -> tuple[int, ...]:
        """Per lane the newest id in memory: thinning on disk begins behind it."""
        return tuple(self._last)

    def __len__(self) -> int:
        return sum(len(lane) for lane in self._lanes)
