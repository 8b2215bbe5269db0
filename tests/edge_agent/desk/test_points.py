"""Patrol points of the local file and of the county, and who was there."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from edge_agent.board import Board
from edge_agent.desk import points
from edge_agent.desk.points import Points
from edge_agent.desk.store import Store
from edge_agent.event import Event, Klass
from patrol_contract import messages, topics
from patrol_contract.examples import EXAMPLES

NOW = 1_785_860_000
POND = {"desc": "水塘", "lat": 364555000, "lon": 1159805000, "rad": 60, "place": "public"}
YARD = {"desc": "村委会", "lat": 364500000, "lon": 1159800000}


class Desk:
    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "desk.db")
        self.now = float(NOW)
        self.restart()

    def restart(self) -> None:
        self.board = Board()
        self.points = Points(self.store, self.board, [POND, YARD], lambda: self.now)

    def places(self) -> dict[str, dict[str, Any]]:
        return {row["desc"]: row for row in self.board.view()["place"].values()}

    def say(self, event: str, unit: str = "u-0001", **fields: Any) -> None:
        whole = {**EXAMPLES["unit_transition"][1], "event": event, "tst": NOW, **fields}
        whole = {key: value for key, value in whole.items() if value is not None}
        topic = topics.topic("unit_transition", C="c371500", U=unit)
        payload = messages.encode("unit_transition", whole)
        self.points.observe(Event(topic, payload, Klass.EVENT, unit, "0" * 16, 1))


def waypoint(**fields: Any) -> dict[str, Any]:
    whole = {**EXAMPLES["points_waypoint"][1], **fields}
    return messages.decode("points_waypoint", messages.encode("points_waypoint", whole))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_the_countys_point_takes_the_place_of_the_local_one(desk: Desk) -> None:
    assert set(desk.places()) == {"水塘", "村委会"}
    await desk.points.county(waypoint(desc="水塘", rid="p-01", lat=364560000, rad=80))
    assert len(desk.board.view()["place"]) == 2
    row = desk.places()["水塘"]
    assert (row["lat"], row["rad"], row["place"]) == (364560000, 80, "public")  # its class stays
    await desk.points.county(waypoint(desc="水塘", rid="p-01", place="key"))
    assert desk.places()["水塘"]["place"] == "key"
    await desk.points.county(waypoint(desc="鱼塘", rid="p-01"))  # renamed: the same one
    assert set(desk.places()) == {"鱼塘", "水塘", "村委会"}


async def test_without_an_id_the_stamp_says_which(desk: Desk) -> None:
    for desc, tst in (("东门", NOW), ("西门", NOW + 1), ("南门", NOW)):
        fields = waypoint(desc=desc, tst=tst)
        del fields["rid"]
        await desk.points.county(fields)
    assert set(desk.places()) == {"水塘", "村委会", "西门", "南门"}


async def test_points_and_visits_outlive_a_restart(desk: Desk) -> None:
    await desk.points.county(waypoint(desc="变电站", rid="p-07", place="key"))
    desk.say("enter", rid="p-07", desc="变电站")
    desk.store.now(desk.points.save)
    desk.restart()
    assert desk.places()["变电站"]["place"] == "key"
    assert desk.board.get("point", "p-07")["inside"] == ["u-0001"]
    desk.now += points.SHIFT_S + 1
    desk.restart()
    assert desk.board.view()["point"] == {}  # yesterday's visit is nobody's today
    assert "变电站" in desk.places()


async def test_who_is_there(desk: Desk) -> None:
    await desk.points.county(waypoint(desc="变电站", rid="p-07"))
    for event, unit in (("enter", "u-0001"), ("enter", "u-0002"), ("leave", "u-0001")):
        desk.say(event, unit, rid="p-07", desc="变电站", tst=NOW + 60)
    desk.say("enter", "u-0003", rid="p-07", desc="变电站", tst=NOW)  # late, by another road
    row = desk.board.get("point", "p-07")
    assert row["inside"] == ["u-0002", "u-0003"] and row["tst"] == NOW + 60


async def test_two_points_of_one_name_are_told_apart_by_where_it_was(desk: Desk) -> None:
    far = {"lat": YARD["lat"] + 500_000, "lon": YARD["lon"]}
    await desk.points.county(waypoint(desc="村委会", rid="p-01", lat=YARD["lat"], lon=YARD["lon"]))
    await desk.points.county(waypoint(desc="村委会", rid="p-02", **far))
    desk.say("enter", rid=None, desc="村委会", lat=far["lat"] - 300, lon=far["lon"])
    assert set(desk.board.view()["point"]) == {"p-02"}
    desk.say("enter", rid="q-99", desc="水塘")  # an id of the unit's plan that is unknown here
    assert "local-0" in desk.board.view()["point"]
    desk.say("enter", rid=None, desc="没听说过")
    assert desk.board.get("point", "没听说过")["inside"]


async def test_no_more_points_than_a_county_has(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(points, "MOST", 3)
    for n in range(5):
        desk.now += 1
        await desk.points.county(waypoint(desc=f"点{n}", rid=f"p-{n}"))
    kept = {"点2", "点3", "点4", "水塘", "村委会"}
    assert set(desk.places()) == kept
    desk.restart()
    assert set(desk.places()) == kept


async def test_a_point_that_the_disk_refuses_is_not_taken(desk: Desk) -> None:
    desk.store.now(lambda db: db.execute("DROP TABLE waypoint"))
    with pytest.raises(OSError, match=r"desk\.db"):
        await desk.points.county(waypoint(desc="变电站", rid="p-07"))
    assert "变电站" not in desk.places()


async def test_noise_is_no_visit(desk: Desk) -> None:
    event = Event("owntracks/c371500/u-0001/event", b"{", Klass.EVENT, "u-0001", "0" * 16, 1)
    desk.points.observe(event)
    desk.points.observe(Event("x", b"", Klass.EVENT, "u-0001", "0" * 16, 1, at=time.time()))
    assert desk.board.view()["point"] == {}
