"""The only queue: accepted means committed, deleted means the county has it.

The event loop collects, outbox_writer.py's thread commits.

An SOS is handed to the uplink at once, in parallel with its commit, and is accepted by whichever
comes first: the commit or the county's PUBACK. So it still moves when the disk takes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple

from edge_agent.event import Event
from edge_agent.outbox_feed import Feed
from edge_agent.outbox_record import (
    LANE_SHIFT,
    LANES,
    SOS,
    Batch,
    Bounds,
    Count,
    Held,
    StoreFault,
    Work,
    lane_of,
)
from edge_agent.outbox_recovery import Recovery
from edge_agent.outbox_store import Store
from edge_agent.outbox_writer import Settled, Writer

RETRY_S = 2.0  # between attempts to commit on a disk that refuses


class Backlog(NamedTuple):
    """What waits for the county. `oldest_at`: Unix s of the oldest record, None when empty."""

    lanes: tuple[Count, ...]  # SOS, custody, events, telemetry
    oldest_at: float | None

    @property
    def rows(self) -> int:
        return sum(lane.rows for lane in self.lanes)

    @property
    def bytes(self) -> int:
        return sum(lane.bytes for lane in self.lanes)


class Outbox:
    """`await open()` once, then `submit` or `accept`; the uplink takes with `next` and ends with
    `done` or `give_back`. Everything but the writer thread runs on the event loop. `when` tells
    at which Unix s a record was taken in, None where nobody knows.
    """

    def __init__(self, path: Path, bounds: Bounds | None = None) -> None:
        self.recovery = Recovery(Store(path, bounds or Bounds()))
        self.feed = Feed()
        self.fault: str | None = None  # what the disk said last, in one sentence; None: well
        self.when: Callable[[Event], float | None] = lambda event: event.at
        self._number = 0
        self._accepting: dict[int, asyncio.Future[None]] = {}
        self._out: dict[int, Held] = {}
        self._newest: dict[tuple[str, str], int] = {}
        self._kept: dict[str, bytes] = {}  # read at the start from a disk that takes nothing
        self._paging = False
        self._aside = 0
        self._writer = Writer(self.recovery, self._settle, self._paged, self.feed.pinned)
        self._watchers: list[Callable[[Event], None]] = []
        self._sos_watchers: list[Callable[[Event], None]] = []
        self._ready: list[Callable[[], None]] = []

    @property
    def store(self) -> Store:
        return self.recovery.store

    async def open(self) -> None:
        """Open the file (a damaged or foreign one is set aside) and start the writer.

        Never raises for a disk that cannot be used: `fault` says so, and SOSs move without it.
        """
        self._loop = asyncio.get_running_loop()
        first = await asyncio.to_thread(self.recovery.open)
        self.fault = self.recovery.fault
        self._number, self._kept = first.last_number, first.kept
        for held in first.sos:
            self._note_newest(held)
            self.feed.committed(held)
        self.feed.behind[SOS] = False
        self._writer.start()
        self._want_page()

    async def close(self) -> None:
        """Commit what is pending, then close the file."""
        await self._writer.stop()

    # -- in ------------------------------------------------------------------------------------

    def submit(self, event: Event) -> asyncio.Future[None]:
        """Take a record in; the future ends when it is accepted, or with StoreFault."""
        self._number += 1
        held = Held(lane_of(event) << LANE_SHIFT | self._number, event)
        accepted = self._loop.create_future()
        self._accepting[held.id] = accepted
        if held.lane == SOS:
            self._note_newest(held)
            self.feed.forget(self._superseded)
            self.feed.committed(held)
            self._tell_ready()
            for watcher in self._sos_watchers:
                watcher(event)
        self._writer.add(inserts=[held])
        return accepted

    async def accept(self, event: Event) -> None:
        """Return once the record is accepted. StoreFault when the disk refuses it."""
        await self.submit(event)

    def watch(self, callback: Callable[[Event], None]) -> None:
        """Call back with every accepted event, on the loop."""
        self._watchers.append(callback)

    def on_sos(self, callback: Callable[[Event], None]) -> None:
        """Call back with every SOS record as it comes in, before it is committed."""
        self._sos_watchers.append(callback)

    def do(self, work: Work) -> asyncio.Future[Any]:
        """Run `work(connection)` in the next transaction; ends when that is durable.

        For the small states of other rooms in the same file. IntegrityError, ValueError and
        LookupError undo this work only and come out of the future.
        """
        future: Future[Any] = Future()
        self._writer.add(works=[(work, future)])
        return asyncio.wrap_future(future, loop=self._loop)

    async def keep(self, key: str, value: bytes) -> None:
        """Keep a small state over a power cut."""
        await self.do(
            lambda db: db.execute("INSERT OR REPLACE INTO kept VALUES (?,?)", (key, value))
        )

    async def kept(self, key: str) -> bytes | None:
        """What `keep` kept last, or None. StoreFault when that cannot be read."""
        try:
            row = await self.do(
                lambda db: db.execute("SELECT value FROM kept WHERE key = ?", (key,)).fetchone()
            )
        except StoreFault:
            if key not in self._kept:
                raise
            return self._kept[key]
        return None if row is None else row[0]

    # -- out -----------------------------------------------------------------------------------

    def on_ready(self, callback: Callable[[], None]) -> None:
        """Call back when there may be something for `next`."""
        self._ready.append(callback)

    def next(self, sos_only: bool = False) -> Held | None:
        """The record to send now: an SOS first, then custody, events, telemetry; oldest first."""
        held = self.feed.next(sos_only)
        if held is not None:
            self._out[held.id] = held
            self._want_page()
        return held

    def sos_waits(self) -> bool:
        """Whether an SOS is here that is not under way."""
        return any(held.lane == SOS for held in self.feed.heads())

    def done(self, held: Held) -> None:
        """The county has it: delete it."""
        self._out.pop(held.id, None)
        event = held.event
        if event.sos is not None and self._newest.get((event.sender, event.sos)) == held.id:
            del self._newest[event.sender, event.sos]
        self._accepted(held)
        self._writer.add(deletes=[held])

    def give_back(self, rows: list[Held]) -> None:
        """Not delivered: put them back to the head of their lanes."""
        for held in rows:
            self._out.pop(held.id, None)
        self.feed.give_back(held for held in rows if not self._superseded(held))
        self._tell_ready()

    def backlog(self) -> Backlog:
        """What waits, as of the last commit."""
        lanes = tuple(self.store.tally[lane] for lane in LANES)
        heads = [self.when(held.event) for held in (*self._out.values(), *self.feed.heads())]
        return Backlog(lanes, min((at for at in heads if at is not None), default=None))

    # -- the loop's side of the writer ---------------------------------------------------------

    def _want_page(self) -> None:
        wanted = None if self._paging else self.feed.page_wanted()
        if wanted is not None:
            self._paging = True
            self._writer.read(*wanted)

    def _settle(self, settled: Settled) -> None:
        """A batch is durable, or the disk refused it."""
        batch, fault, aside = settled
        self.fault = fault
        if aside != self._aside:
            self._aside = aside
            self.feed.behind[SOS + 1 :] = [True] * (len(LANES) - 1)
            self._writer.add(inserts=[*self._out.values(), *self.feed.rows()])
        for held in batch.inserts:
            if held.id not in self._accepting:
                continue  # written again after a damaged file was set aside
            if fault is None:
                if held.lane != SOS:
                    self.feed.committed(held)
                self._accepted(held)
            elif held.lane != SOS:
                refused = self._accepting.pop(held.id)
                if not refused.done():
                    refused.set_exception(StoreFault(fault))
        if fault is not None:
            self._loop.call_later(RETRY_S, self._retry, batch)
        self._tell_ready()

    def _retry(self, batch: Batch) -> None:
        """SOSs and deletes are tried until the disk takes them."""
        waiting = [held for held in batch.inserts if held.id in self._accepting]
        self._writer.add(inserts=waiting, deletes=batch.deletes)

    def _paged(self, lane: int, wanted: int, rows: list[Held]) -> None:
        self._paging = False
        self.feed.page(lane, wanted, rows)
        self._want_page()
        self._tell_ready()

    def _accepted(self, held: Held) -> None:
        accepted = self._accepting.pop(held.id, None)
        if accepted is None:
            return
        if not accepted.done():
            accepted.set_result(None)
        for watcher in self._watchers:
            watcher(held.event)

    def _tell_ready(self) -> None:
        for callback in self._ready:
            callback()

    def _note_newest(self, held: Held) -> None:
        event = held.event
        if event.sos is not None and event.state == "updated":
            self._newest[event.sender, event.sos] = held.id

    def _superseded(self, held: Held) -> bool:
        """Whether a newer update of the same SOS has come in."""
        event = held.event
        if event.sos is None or event.state != "updated":
            return False
        return self._newest.get((event.sender, event.sos), held.id) > held.id
