"""Patrol points: where they are, by the local file and by the county, and who was there.

Board section "place": desc, lat, lon (1e-7 degree), rad (m), place (class: key, public, other or
None); section "point", same keys: tst of the last enter or leave, unit, inside (units there now).
The county's waypoints come unsigned, from a topic that only the county may write: they move
nothing. They are known by `rid`, else by `tst`, which OwnTracks keeps unique; the same one again
replaces what stood there. A local point of the same name makes room for the county's, and lends
it its class where the county gives none.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Callable, Mapping
from typing import Any

from edge_agent.board import Board
from edge_agent.desk.store import Store
from edge_agent.event import Event
from patrol_contract import ContractError, messages, topics

log = logging.getLogger(__name__)

MOST = 500  # of the county's; the ones told longest ago make room
SHIFT_S = 12 * 3600.0  # a visit older than this is nobody's any more
KEEP = ("desc", "lat", "lon", "rad", "place", "tst")

Fields = Mapping[str, Any]


class Points:
    def __init__(
        self,
        store: Store,
        board: Board,
        local: list[dict[str, Any]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._board, self._clock = store, board, clock
        self._local = {f"local-{n}": _row(point) for n, point in enumerate(local)}
        self._unsaved: dict[str, dict[str, Any]] = {}  # visits
        self._store.now(self._read)

    def _read(self, db: sqlite3.Connection) -> None:
        rows = db.execute("SELECT id, about FROM waypoint ORDER BY at").fetchall()
        self._county = {row["id"]: _row(json.loads(row["about"])) for row in rows}
        self._show()
        since = self._clock() - SHIFT_S
        for row in db.execute("SELECT place, about FROM visit WHERE tst >= ?", (since,)):
            self._board.put("point", row["place"], json.loads(row["about"]))

    def _show(self) -> None:
        """Bring the board's section "place" to what is known now."""
        named = {row["desc"]: row for row in self._local.values()}
        wanted = {
            key: {**row, "place": row["place"] or named.get(row["desc"], {}).get("place")}
            for key, row in self._county.items()
        }
        known = {row["desc"] for row in self._county.values()}
        wanted |= {key: row for key, row in self._local.items() if row["desc"] not in known}
        for key in set(self._board.view()["place"]) - set(wanted):
            self._board.drop("place", key)
        for key, row in wanted.items():
            self._board.put("place", key, row)

    async def county(self, fields: Fields) -> None:
        """A waypoint of the county; durable when this returns, else OSError."""
        key = fields.get("rid") or f"tst-{fields['tst']}"
        told = {name: fields[name] for name in KEEP if fields.get(name) is not None}
        row = (key, self._clock(), json.dumps(told, ensure_ascii=False))

        def write(db: sqlite3.Connection) -> None:
            db.execute("INSERT OR REPLACE INTO waypoint (id, at, about) VALUES (?,?,?)", row)
            db.execute(
                "DELETE FROM waypoint WHERE id NOT IN"
                " (SELECT id FROM waypoint ORDER BY at DESC, id LIMIT ?)",
                (MOST,),
            )

        try:
            await self._store.do(write)
        except sqlite3.Error as error:
            raise OSError(f"desk.db: {error}") from error
        self._county.pop(key, None)  # the newest stands last
        self._county[key] = _row(told)
        while len(self._county) > MOST:
            del self._county[next(iter(self._county))]
        self._show()

    def observe(self, event: Event) -> None:
        """For outbox.watch: a unit entered or left a point."""
        found = topics.parse(event.topic)
        if found is None or found[0] != "unit_transition":
            return
        try:
            fields = messages.decode("unit_transition", event.payload)
        except ContractError:
            return  # counted where units come in
        key = self._which(fields)
        before = self._board.get("point", key)
        inside = set(before.get("inside", ()))
        change = inside.add if fields["event"] == "enter" else inside.discard
        change(found[1]["U"])
        row = {
            "desc": fields["desc"],
            "unit": found[1]["U"],
            "tst": max(fields["tst"], before.get("tst", 0)),
            "inside": sorted(inside),
        }
        self._board.put("point", key, row)
        self._unsaved[key] = row

    def _which(self, fields: Fields) -> str:
        """The place a transition is of: by its id, else the nearest of its name, else its name."""
        if fields.get("rid") in self._county:
            return fields["rid"]
        same = [
            (abs(row["lat"] - fields["lat"]) + abs(row["lon"] - fields["lon"]), key)
            for key, row in self._board.view()["place"].items()
            if row["desc"] == fields["desc"]
        ]
        return min(same)[1] if same else fields["desc"]

    def save(self, db: sqlite3.Connection) -> None:
        """Write the visits since the last time. They are for the eye: a minute may be lost."""
        unsaved, self._unsaved = self._unsaved, {}
        db.executemany(
            "INSERT OR REPLACE INTO visit (place, tst, about) VALUES (?,?,?)",
            [(k, row["tst"], json.dumps(row, ensure_ascii=False)) for k, row in unsaved.items()],
        )
        db.execute("DELETE FROM visit WHERE tst < ?", (self._clock() - SHIFT_S,))


def _row(point: Fields) -> dict[str, Any]:
    return {
        "desc": point["desc"],
        "lat": point["lat"],
        "lon": point["lon"],
        "rad": point.get("rad"),
        "place": point.get("place"),
    }
