"""Watches the clock: what it learns is kept in the outbox's file and told to the docks' journal."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from edge_agent.clock import Clock
from edge_agent.outbox import Outbox
from edge_agent.timeline import Known, Run, Timeline

log = logging.getLogger(__name__)

KEPT = "clock"
EVERY_S = 0.25

Tell = Callable[[Run, Known | None], Awaitable[object]]


class ClockRoom:
    """`await load()` before anything is recorded; then `run()` for ever.

    tell(run, known): a wrong clock runs so (None), and later how wrong it was.
    """

    def __init__(self, clock: Clock, outbox: Outbox, tell: Tell | None = None) -> None:
        self._clock, self._outbox, self._tell = clock, outbox, tell
        self._told: set[tuple[str, float, bool]] = set()

    async def load(self) -> None:
        """Take up what earlier runs learned."""
        try:
            kept = await self._outbox.kept(KEPT)
        except OSError as error:
            log.error("what earlier boots knew of the time cannot be read: %s", error)
            kept = None
        before = Timeline(kept)
        self._clock.timeline.runs = before.runs
        self._clock.timeline.boots = before.boots
        self._clock.look()

    async def run(self) -> None:
        while True:
            right = self._clock.look() is None
            await self._keep()
            if self._tell is not None:
                await self._tell_docks(self._tell, right)
            await asyncio.sleep(EVERY_S)

    async def _keep(self) -> None:
        timeline = self._clock.timeline
        if timeline.changed:
            try:
                await self._outbox.keep(KEPT, timeline.state())
            except OSError:  # the page shows it; the next round tries again
                timeline.changed = True

    async def _tell_docks(self, tell: Tell, right: bool) -> None:
        """Each run once as it begins, once when it is over and its time is known."""
        for run in self._clock.timeline.runs:
            over = right or run.boot != self._clock.boot
            known = self._clock.timeline.boots.get(run.boot) if over else None
            told = (run.boot, run.skew, known is not None)
            if told not in self._told:
                await tell(run, known)
                self._told.add(told)
