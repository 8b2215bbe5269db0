"""The list of a day over several ports: a fault stays where it is, boards are changed."""

from __future__ import annotations

import threading

import pytest

from flashing import batch
from flashing.errors import FlashError
from flashing.job import Order, Workshop


class Table:
    """Boards on a table: `present` tells a port's state, and a hand changes boards when asked."""

    def __init__(self) -> None:
        self.looks: dict[str, int] = {}

    def present(self, port: str) -> bool:
        """Out at the first look after a board was done, in again at the next."""
        self.looks[port] = self.looks.get(port, 0) + 1
        return self.looks[port] % 2 == 0


def test_a_fault_is_one_units_fault_alone(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    first_two = threading.Barrier(2)  # both ports are at work at the same time

    def make(shop: Workshop, order: Order) -> None:
        if order.unit in ("u-0101", "u-0103"):
            first_two.wait(10)
        if order.unit == "u-0103":
            raise FlashError("the board went away: push the plug home")
        made.append(order.unit)

    monkeypatch.setattr(batch, "make_unit", make)
    shop.ledger.add("pass", unit="u-0102", mac="24:0a", serial="1")
    wanted = [batch.Wanted(f"u-010{n}", "lte") for n in range(1, 8)]
    results = batch.run(shop, wanted, ["A", "B"], Table().present)
    assert sorted(made) == [f"u-010{n}" for n in (1, 4, 5, 6, 7)]
    assert {r.unit: r.fault for r in results if r.fault} == {
        "u-0103": "the board went away: push the plug home"
    }
    assert "u-0102: is made already" in shop.person.said
    assert {result.port for result in results} == {"A", "B"}


def test_nobody_changes_the_board(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "make_unit", lambda shop, order: None)
    monkeypatch.setattr(batch, "CHANGE_SECONDS", 0.1)
    monkeypatch.setattr(batch, "LOOK_SECONDS", 0.01)
    wanted = [batch.Wanted("u-0101", "lte"), batch.Wanted("u-0104", "lte")]
    results = batch.run(shop, wanted, ["A"], lambda port: True)
    assert [result.unit for result in results] == ["u-0101"]
    assert any("run the list again" in line for line in shop.person.said)
