"""Who has reached an SOS, as far as it can be known here.

| from                                                      | how     |
| ---                                                       | ---     |
| a unit's ack `onscene` to the order to assist at this SOS | "said"  |
| a unit's ack `onscene` to any order, given at the place   | "said"  |
| another unit's position, fresh and precise, at the place  | "near"  |

An order that went by another road is unknown here: then the place decides. The county has no
message for it, and staff on foot carry no unit: for those the light stays dark. Whoever has an SOS
of their own is nobody's help. What was found is kept until the county closes the SOS.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from typing import Any

from edge_agent.board import Board, Row
from edge_agent.desk.kept import Kept
from edge_agent.event import Event
from patrol_contract import ContractError, messages, topics

NEAR_M = 50.0  # someone this close is seen and heard
SAID_M = 300.0  # who says so has pressed a button for it: the SOS may have moved since
FRESH_S = 60.0  # an older position is nobody's presence
PRECISE_M = 50
DEGREE7_M = 0.0111320  # 1e-7 degree of latitude
WATCHED = ("unit_ack", "unit_location", "unit_sos")


class OnScene:
    """`observe` for outbox.watch (after the board's own), `ordered` for commands.on_order.

    Board section "scene", by SOS id: unit, how, at (Unix s).
    """

    def __init__(self, kept: Kept, board: Board, clock: Callable[[], float] = time.time) -> None:
        self._kept, self._board, self._clock = kept, board, clock
        self._orders: dict[str, str] = {}  # order to assist -> SOS

    def ordered(self, _name: str, fields: dict[str, Any]) -> None:
        """A signed order of the county to units."""
        if fields.get("cmd") == "assist":
            self._orders[fields["id"]] = fields["sos"]
        elif fields.get("cmd") == "sos_close":
            self._kept.drop("scene", fields["sos"])
            self._orders = {o: sos for o, sos in self._orders.items() if sos != fields["sos"]}

    def observe(self, event: Event) -> None:
        found = topics.parse(event.topic)
        if not self._open() or found is None or found[0] not in WATCHED:
            return
        name, unit = found[0], found[1]["U"]
        if name == "unit_sos":  # raised beside a colleague who stands still: no position follows
            self._near(self._board.view()["unit"])
        elif name == "unit_location":
            self._near((unit,))
        else:
            self._acknowledged(unit, event)

    def _acknowledged(self, unit: str, event: Event) -> None:
        try:
            fields = messages.decode("unit_ack", event.payload)
        except ContractError:
            return  # counted where units come in
        if fields["state"] != "onscene":
            return
        sos = self._orders.get(fields["id"])
        if sos is None:
            here = fields.get("fix") or self._board.get("unit", unit)
            sos = self._nearest(here, SAID_M)
        if sos is not None and sos in self._open():
            self._found(sos, unit, "said")

    def _near(self, units: Iterable[str]) -> None:
        for unit in units:
            row = self._board.get("unit", unit)
            if not self._present(unit, row):
                continue
            sos = self._nearest(row, NEAR_M)
            if sos is not None and not self._board.get("scene", sos):
                self._found(sos, unit, "near")

    def _present(self, unit: str, row: Row) -> bool:
        """Whether a unit's last position says where it is now."""
        if row.get("lat") is None or row.get("online") is False:
            return False
        in_need = any(sos["unit"] == unit for sos in self._open().values())
        fresh = self._clock() - row["tst"] <= FRESH_S
        return not in_need and fresh and row["acc"] <= PRECISE_M

    def _nearest(self, here: Row, within_m: float) -> str | None:
        """The open SOS closest to a place, not further than that."""
        if here.get("lat") is None:
            return None
        found = [
            (metres(here, fix), sos)
            for sos in self._open()
            if (fix := self._board.get("fix", sos)).get("lat") is not None
        ]
        return min((one for one in found if one[0] <= within_m), default=(0.0, None))[1]

    def _open(self) -> dict[str, Row]:
        return self._board.view()["sos"]

    def _found(self, sos: str, unit: str, how: str) -> None:
        self._kept.put("scene", sos, {"unit": unit, "how": how, "at": self._clock()})


def metres(a: Row, b: Row) -> float:
    """Between two places some kilometres apart at most: a plane does."""
    north = (a["lat"] - b["lat"]) * DEGREE7_M
    east = (a["lon"] - b["lon"]) * DEGREE7_M * math.cos(math.radians(a["lat"] / 1e7))
    return math.hypot(north, east)
