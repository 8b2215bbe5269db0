"""Who has reached an SOS: by a unit's word or by where it is; kept over a restart."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from edge_agent.board import Board
from edge_agent.desk.kept import Kept
from edge_agent.desk.on_scene import FRESH_S, NEAR_M, PRECISE_M, OnScene
from edge_agent.desk.store import Store
from edge_agent.event import Event, Klass
from patrol_contract import messages, topics
from patrol_contract.examples import EXAMPLES

C, SOS, ORDER = "c371500", "9" * 16, "a" * 16
NEEDY, FRIEND = "u-0001", "u-0002"
AT = (364561200, 1159853400)  # 1e-7 degree
METRE = 89.83  # 1e-7 degree of latitude


class Scene:
    def __init__(self, folder: Path) -> None:
        self.folder, self.now = folder, 1_800_000_000.0
        self.restart()

    def restart(self) -> None:
        self.board, self.store = Board(), Store(self.folder / "desk.db")
        self.kept = Kept(self.store, self.board)
        self.scene = OnScene(self.kept, self.board, lambda: self.now)

    def raised(self, sos: str = SOS, unit: str = NEEDY, at: tuple[int, int] = AT) -> None:
        self.board.put("sos", sos, {"unit": unit, "since": self.now})
        fix = {"lat": at[0], "lon": at[1], "acc": 6, "age_s": 2}
        self.told("unit_sos", unit, id=sos, fix=fix)

    def at(self, unit: str, metres: float, age: float = 1, acc: int = 5) -> None:
        lat = AT[0] + round(metres * METRE)
        self.told("unit_location", unit, lat=lat, lon=AT[1], acc=acc, tst=int(self.now - age))

    def ack(self, unit: str, order: str, cmd: str, state: str = "onscene", **fix: Any) -> None:
        self.told("unit_ack", unit, id=order, cmd=cmd, state=state, **{"fix": None, **fix})

    def told(self, name: str, unit: str, **fields: Any) -> None:
        given = {**EXAMPLES[name][1], **fields}
        whole = {key: value for key, value in given.items() if value is not None}
        topic = topics.topic(name, C=C, U=unit)
        payload = messages.encode(name, whole)
        event = Event(topic, payload, Klass.EVENT, unit, "0" * 16, 1, at=self.now)
        self.board.observe(event)
        self.scene.observe(event)

    @property
    def there(self) -> dict[str, Any]:
        return self.board.get("scene", SOS)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_unit_says_so_to_the_order_to_assist(scene: Scene) -> None:
    scene.raised()
    scene.scene.ordered("unit_cmd", {"cmd": "assist", "id": ORDER, "sos": SOS})
    scene.ack(FRIEND, ORDER, "assist", "accepted")
    assert scene.there == {}
    scene.ack(FRIEND, ORDER, "assist")
    assert scene.there == {"unit": FRIEND, "how": "said", "at": scene.now}


def test_an_order_that_went_by_another_road_is_known_by_the_place(scene: Scene) -> None:
    scene.raised()
    scene.at(FRIEND, 2000)
    scene.ack(FRIEND, ORDER, "dispatch")
    assert scene.there == {}  # on the scene of something else
    scene.at(FRIEND, 120)
    scene.ack(FRIEND, ORDER, "dispatch")
    assert scene.there["how"] == "said"


def test_the_place_in_the_answer_counts_before_an_older_one(scene: Scene) -> None:
    scene.raised()
    scene.at(FRIEND, 2000)
    here = {"lat": AT[0] + 900, "lon": AT[1], "acc": 5, "age_s": 1, "tst": int(scene.now)}
    scene.ack(FRIEND, ORDER, "dispatch", fix=here)
    assert scene.there["unit"] == FRIEND


def test_a_colleague_who_comes_near_is_there(scene: Scene) -> None:
    scene.raised()
    scene.at(FRIEND, NEAR_M + 5)
    assert scene.there == {}
    scene.at(FRIEND, NEAR_M - 5)
    assert (scene.there["unit"], scene.there["how"]) == (FRIEND, "near")
    scene.scene.ordered("unit_cmd", {"cmd": "assist", "id": ORDER, "sos": SOS})
    scene.ack(FRIEND, ORDER, "assist")
    assert scene.there["how"] == "said"  # a word is worth more than a place
    scene.at("u-0003", 1)
    assert scene.there["unit"] == FRIEND


@pytest.mark.parametrize(
    "wrong", [{"age": FRESH_S + 2}, {"acc": PRECISE_M + 1}, {"unit": NEEDY}, {"offline": True}]
)
def test_who_is_not_there(scene: Scene, wrong: dict[str, Any]) -> None:
    scene.raised()
    unit = wrong.pop("unit", FRIEND)
    if wrong.pop("offline", False):
        scene.board.put("unit", unit, {"online": False})
    scene.at(unit, 10, **wrong)
    assert scene.there == {}


def test_two_in_need_side_by_side_are_no_help_to_each_other(scene: Scene) -> None:
    scene.raised()
    scene.raised("8" * 16, FRIEND)
    scene.at(FRIEND, 5)
    scene.at(NEEDY, 5)
    assert scene.board.view()["scene"] == {}


def test_a_colleague_who_stood_there_when_it_was_raised(scene: Scene) -> None:
    scene.at(FRIEND, 10)
    scene.raised()
    assert scene.there["unit"] == FRIEND


def test_of_two_sos_the_nearer_one_is_reached(scene: Scene) -> None:
    scene.raised("8" * 16, "u-0008", (AT[0] + round(40 * METRE), AT[1]))
    scene.raised()
    scene.at(FRIEND, 5)
    assert list(scene.board.view()["scene"]) == [SOS]


async def test_it_outlives_a_restart_and_ends_with_the_sos(scene: Scene) -> None:
    writing = asyncio.create_task(scene.kept.run())
    scene.raised()
    scene.at(FRIEND, 5)
    await scene.kept.written()
    writing.cancel()
    scene.store.close()
    scene.restart()
    assert scene.there["unit"] == FRIEND
    scene.scene.ordered("unit_cmd", {"cmd": "sos_close", "sos": SOS})
    assert scene.there == {}
    writing = asyncio.create_task(scene.kept.run())
    await scene.kept.written()
    writing.cancel()
    scene.store.close()
    scene.restart()
    assert scene.there == {}
    scene.store.close()
