"""Where units went this shift, thinned: for the map, not for evidence. A restart costs a minute."""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Callable

from edge_agent.desk.store import Store
from edge_agent.event import Event
from patrol_contract import ContractError, messages, topics

POINTS = 400  # of a unit: a 10 h shift at one point in 90 s
APART_7 = 900  # 1e-7 degree: about 10 m; nearer points add nothing to a line on the map
SHIFT_S = 12 * 3600
FRESH_S = 3600  # whoever takes over sees the hour before

Point = tuple[int, int, int]  # lat, lon (1e-7 degree), tst


class Tracks:
    """`observe` for outbox.watch; `view(since)` -> unit -> [(lat7, lon7, tst), …], oldest first."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._of: dict[str, deque[Point]] = {}
        self._unsaved: list[tuple[str, int, int, int]] = []
        store.now(self._read)

    def _read(self, db: sqlite3.Connection) -> None:
        since = self._clock() - SHIFT_S
        found = db.execute(
            "SELECT unit, lat, lon, tst FROM track WHERE tst >= ? ORDER BY unit, tst", (since,)
        )
        for unit, *point in found:
            self._of.setdefault(unit, deque(maxlen=POINTS)).append((point[0], point[1], point[2]))

    def observe(self, event: Event) -> None:
        found = topics.parse(event.topic)
        if found is None or found[0] != "unit_location":
            return
        try:
            fields = messages.decode("unit_location", event.payload)
        except ContractError:
            return  # counted where units come in
        unit = found[1]["U"]
        track = self._of.setdefault(unit, deque(maxlen=POINTS))
        here = (fields["lat"], fields["lon"], fields["tst"])
        if track and here[2] <= track[-1][2]:
            return  # late by another road: the line is drawn forward only
        if track and max(abs(here[0] - track[-1][0]), abs(here[1] - track[-1][1])) < APART_7:
            return
        while track and track[0][2] < here[2] - SHIFT_S:
            track.popleft()
        track.append(here)
        self._unsaved.append((unit, *here))

    def view(self, since: float) -> dict[str, list[Point]]:
        """Of the shift that began then, of the last hour in any case, of no more than SHIFT_S."""
        since = max(min(since, self._clock() - FRESH_S), self._clock() - SHIFT_S)
        cut = {unit: [p for p in track if p[2] >= since] for unit, track in self._of.items()}
        return {unit: track for unit, track in cut.items() if track}

    def save(self, db: sqlite3.Connection) -> None:
        """Write what came since the last time."""
        unsaved, self._unsaved = self._unsaved, []
        db.executemany(
            "INSERT OR IGNORE INTO track (unit, lat, lon, tst) VALUES (?,?,?,?)", unsaved
        )
        db.execute("DELETE FROM track WHERE tst < ?", (self._clock() - SHIFT_S,))
