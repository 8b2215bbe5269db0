"""A unit made end to end: real esptool, a board double, real MicroPython on what was written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flashing import filesystem
from flashing.errors import FlashError
from flashing.job import Order, Workshop, make_unit
from tests.fakes.esp32_board import Esp32Board
from tests.fakes.unit_world import UnitWorld

MB = 2**20


def test_a_bare_board_becomes_a_unit(shop: Workshop, tmp_path: Path) -> None:
    with Esp32Board(tmp_path / "board") as board, UnitWorld(board) as world:
        shop.person.on_say = world.obey
        row = make_unit(shop, Order(board.port, "u-0101", "lte", test_line=False))
    assert row["tests"]["identity"][0] == "PASS"
    flash = board.flash.read_bytes()
    files = filesystem.read(flash[2 * MB :])
    assert json.loads(files["/unit.json"])["unit"] == "u-0101"
    assert files["/key.der"] == shop.batch.units["u-0101"][0].key_der
    assert [r["event"] for r in shop.ledger.rows] == ["pass"]
    assert "a secret psk" not in json.dumps(shop.ledger.rows)


def test_a_motor_that_nobody_felt_is_no_pass(shop: Workshop, tmp_path: Path) -> None:
    shop.person.answers = {"vibrate": False}
    with Esp32Board(tmp_path / "board") as board, UnitWorld(board) as world:
        shop.person.on_say = world.obey
        with pytest.raises(FlashError, match=r"u-0101 is no unit yet: haptic: .* not felt"):
            make_unit(shop, Order(board.port, "u-0101", "devkit", test_line=False))
    assert shop.ledger.rows == []
