"""What the outbox holds and hands around: lanes, numbered records, batches. Pure."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from edge_agent.event import Event, Klass

LANE_SHIFT = 56  # a row's id is lane << LANE_SHIFT | arrival number
SOS, CUSTODY, EVENT, TELEMETRY = range(4)  # lanes: what leaves first
LANES = range(4)
ROW_OVERHEAD = 80  # bytes of a row beside topic and payload, indexes included


class StoreFault(OSError):
    """The disk did not take a record. One sentence: what, where, remedy."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bytes a lane may hold on disk; SOS and custody have no bound."""

    event: int = 256 << 20
    telemetry: int = 256 << 20


class Held(NamedTuple):
    """A record and its number. `id` is unique in the file and rises within a lane."""

    id: int
    event: Event

    @property
    def lane(self) -> int:
        return self.id >> LANE_SHIFT

    @property
    def size(self) -> int:
        """Bytes on disk, about."""
        return len(self.event.topic) + len(self.event.payload) + ROW_OVERHEAD


class Count(NamedTuple):
    rows: int
    bytes: int


Work = Callable[[sqlite3.Connection], Any]


@dataclass(slots=True)
class Batch:
    """What goes into one transaction."""

    inserts: list[Held] = field(default_factory=list[Held])
    deletes: list[Held] = field(default_factory=list[Held])
    works: list[tuple[Work, Future[Any]]] = field(default_factory=list[tuple[Work, Future[Any]]])
    pinned: tuple[int, ...] = (0, 0, 0, 0)  # per lane: newest id in memory, not to be thinned


def lane_of(event: Event) -> int:
    """SOS before custody, though both are the class that is never dropped."""
    if event.klass is Klass.SOS:
        return CUSTODY if event.sos is None else SOS
    return EVENT if event.klass is Klass.EVENT else TELEMETRY
