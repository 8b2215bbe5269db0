"""As a record leaves that was made before the clock was set, its times become the true ones.

On disk it stays as it was made, stamped and marked; what makes it new is one row (how far off the
clock of that boot was, clock_room.py keeps it). So a kill at any moment leaves each record either
old and marked or new, a better source later makes it better, and no record is written twice.

Only the checkpoint's own records are touched, and of those only times that the wrong clock can have
said. `sender`, `boot` and `seq` stay; units' records pass unchanged, whatever our clock did.
"""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

from edge_agent.event import Event, Stamp
from edge_agent.moments import mapped
from edge_agent.timeline import Timeline, spoken
from patrol_contract import ContractError, messages, topics

BEIJING = timedelta(hours=8)  # a shift belongs to the day it began, there


class Restamp:
    """`restamp(event)` for the uplink; `when(event)` for how long it waits."""

    def __init__(self, timeline: Timeline, checkpoint: str) -> None:
        self._timeline, self._checkpoint = timeline, checkpoint

    def __call__(self, event: Event) -> Event:
        if event.stamp is None or event.sender != self._checkpoint:
            return event
        shift = self._timeline.moved(event.stamp)
        found = topics.parse(event.topic)
        if shift is None or found is None:
            return event
        try:
            fields = messages.decode(found[0], event.payload)
            moved = move(found[0], fields, event.stamp, round(shift))
            return dataclasses.replace(event, payload=messages.encode(found[0], moved))
        except ContractError:  # a time the contract has no word for: as it was, marked
            return event

    def when(self, event: Event) -> float | None:
        """Unix s at which it was taken in; None where nobody knows."""
        if event.stamp is None:
            return event.at
        shift = self._timeline.moved(event.stamp)
        return None if shift is None else event.at + shift


def move(name: str, fields: dict[str, Any], stamp: Stamp, shift: int) -> dict[str, Any]:
    """The message with the times that the stamped clock said moved by `shift` s, and marked so."""
    moved = mapped(name, fields, lambda at: at + shift if spoken(stamp, at) else at)
    if moved.get("began") != fields.get("began"):
        moved["date"] = (datetime.fromtimestamp(moved["began"], UTC) + BEIJING).date().isoformat()
    return {**moved, "unset_clock": True, "moved_s": shift}
