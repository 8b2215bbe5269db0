"""What is so right now, for the page and for `status`: sections of rows, in memory.

Fed by what the outbox has committed (observe) and by the rooms (put). Lost at a restart on
purpose: units say again who they are, sensors read again, and open SOSs come from the alarm.
"""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from edge_agent.event import Event
from patrol_contract import ContractError, messages, topics

Row = dict[str, Any]
Fold = tuple[str, str, Row]  # section, key, what it changes of the row
Change = tuple[str, str, Row | None]  # section, key, the whole new row; None: gone

# sos is the alarm's, fix where and when each SOS was pressed; the desk's are scene (who is there),
# seal (what is sealed off), place (patrol points), point (visits there), shift and check.
SECTIONS = (
    "unit", "sensor", "sos", "fix", "scene", "bay", "uplink", "order", "seal", "fault", "count",
    "place", "point", "shift", "check",
)  # fmt: skip
BEHIND = 1000  # changes a slow page may lag before it is told to fetch everything again


def unit_location(who: Mapping[str, str], fields: Row) -> Fold:
    keep = ("lat", "lon", "acc", "tst", "vel", "cog", "batt", "mark")
    return "unit", who["U"], {key: fields.get(key) for key in keep}


def unit_state(who: Mapping[str, str], fields: Row) -> Fold:
    keep = ("online", "on_duty", "member", "role", "link", "clock", "session", "boot")
    return "unit", who["U"], {key: fields.get(key) for key in keep}


def unit_health(who: Mapping[str, str], fields: Row) -> Fold:
    keep = ("batt", "queue", "sats", "stall_ms", "fault")
    return "unit", who["U"], {key: fields.get(key) for key in keep}


def unit_sos(who: Mapping[str, str], fields: Row) -> Fold:
    keep = ("kind", "batt", "revision", "tst", "state", "note")
    fix = {key: fields.get("fix", {}).get(key) for key in ("lat", "lon", "acc", "age_s")}
    return "fix", fields["id"], {"unit": who["U"], **{k: fields.get(k) for k in keep}, **fix}


def cp_sensor(who: Mapping[str, str], fields: Row) -> Fold:
    keep = ("kind", "value", "text", "unit", "quality", "read", "alarm", "why")
    return "sensor", who["S"], {key: fields.get(key) for key in keep}


# message -> which row it changes, and to what. What is not here is not on the board.
FOLDS: dict[str, Callable[[Mapping[str, str], Row], Fold | None]] = {
    "unit_location": unit_location,
    "unit_state": unit_state,
    "unit_health": unit_health,
    "unit_sos": unit_sos,
    "cp_sensor": cp_sensor,
}


class Board:
    """Rows by section and key; whoever follows `changes` gets each change once, in order."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, Row]] = {section: {} for section in SECTIONS}
        # Weak: a follower that is gone, or never began to listen, is forgotten with its queue.
        self._followers: weakref.WeakSet[asyncio.Queue[Change]] = weakref.WeakSet()

    def put(self, section: str, key: str, row: Row, /) -> None:
        """Merge `row` into the row `key`; nothing is told when nothing changed."""
        old = self._rows[section].get(key)
        new = {**(old or {}), **row}
        if new != old:
            self._rows[section][key] = new
            self._tell((section, key, new))

    def drop(self, section: str, key: str) -> None:
        if self._rows[section].pop(key, None) is not None:
            self._tell((section, key, None))

    def get(self, section: str, key: str) -> Row:
        return self._rows[section].get(key, {})

    def view(self) -> dict[str, dict[str, Row]]:
        """All of it, as it stands; the caller must not change it."""
        return self._rows

    def fault(self, name: str, why: str | None) -> None:
        """A room is down (why: one sentence) or well again (None)."""
        if why is None:
            self.drop("fault", name)
        else:
            self.put("fault", name, {"why": why})

    def observe(self, event: Event) -> None:
        """Take in what was committed."""
        found = topics.parse(event.topic)
        if found is None or found[0] not in FOLDS:
            return
        with contextlib.suppress(ContractError):  # units' malformed payloads are counted there
            fields = messages.decode(found[0], event.payload)
            fold = FOLDS[found[0]](found[1], fields)
            if fold:
                section, key, row = fold
                self.put(section, key, {**row, "at": event.at})

    def changes(self) -> AsyncIterator[Change | None]:
        """Every change from this call on, not only from the first one awaited: a view() taken
        after it misses nothing. None when this follower lagged and must take view() anew."""
        queue: asyncio.Queue[Change] = asyncio.Queue(BEHIND)
        self._followers.add(queue)
        return _told(queue)

    def _tell(self, change: Change) -> None:
        for queue in self._followers:
            with contextlib.suppress(asyncio.QueueFull):
                queue.put_nowait(change)


async def _told(queue: asyncio.Queue[Change]) -> AsyncIterator[Change | None]:
    while True:
        if queue.full():
            while not queue.empty():
                queue.get_nowait()
            yield None
        yield await queue.get()
