"""Where units went this shift, thinned, in memory: for the map, not for evidence."""

from __future__ import annotations

from collections import deque

from edge_agent.event import Event
from patrol_contract import ContractError, messages, topics

POINTS = 400  # of a unit: a 10 h shift at one point in 90 s
APART_7 = 900  # 1e-7 degree: about 10 m; nearer points add nothing to a line on the map
SHIFT_S = 12 * 3600


class Tracks:
    """`observe` for outbox.watch; `view()` -> unit -> [[lat7, lon7, tst], …], oldest first."""

    def __init__(self) -> None:
        self._of: dict[str, deque[tuple[int, int, int]]] = {}

    def observe(self, event: Event) -> None:
        found = topics.parse(event.topic)
        if found is None or found[0] != "unit_location":
            return
        try:
            fields = messages.decode("unit_location", event.payload)
        except ContractError:
            return  # counted where units come in
        track = self._of.setdefault(found[1]["U"], deque(maxlen=POINTS))
        here = (fields["lat"], fields["lon"], fields["tst"])
        if track and here[2] <= track[-1][2]:
            return  # late by another road: the line is drawn forward only
        if track and max(abs(here[0] - track[-1][0]), abs(here[1] - track[-1][1])) < APART_7:
            return
        while track and track[0][2] < here[2] - SHIFT_S:
            track.popleft()
        track.append(here)

    def view(self) -> dict[str, list[tuple[int, int, int]]]:
        return {unit: list(track) for unit, track in self._of.items()}
