"""A unit made end to end: real esptool, a board double, real MicroPython on what was written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from flashing import filesystem, job, layout, micropython_image, partitions, romfs, unit_files
from flashing.chip_errors import explain
from flashing.errors import FlashError
from flashing.job import Order, Workshop, make_unit
from flashing.partitions import Partition
from tests.fakes import micropython_image as fake
from tests.fakes.esp32_board import Esp32Board
from tests.fakes.unit_world import UnitWorld
from tests.firmware.flashing.conftest import Person

MB = 2**20


def test_a_bare_board_becomes_a_unit(shop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "board").mkdir()
    earlier = b"\xff" * 0x9000 + b"an earlier key " * 2048  # in NVS and behind it
    flash = earlier.ljust(2 * MB, b"\xff") + (b"an earlier key " * MB)[: 2 * MB]
    (tmp_path / "board/flash.bin").write_bytes(flash)
    with Esp32Board(tmp_path / "board") as board, UnitWorld(board) as world:
        shop.person.on_say = world.obey
        row = make_unit(shop, Order(board.port, "u-0101", "lte", test_line=False))
    assert row["tests"]["identity"][0] == "PASS"
    flash = board.flash.read_bytes()
    assert b"an earlier key" not in flash
    rom, home = _partitions(flash)
    files = filesystem.read(flash[home.offset : home.end])
    assert json.loads(files["/unit.json"])["unit"] == "u-0101"
    assert files["/key.der"] == shop.batch.units["u-0101"][0].key_der
    assert set(files) >= {"/main.py", "/pins.csv", "/cert.der"}
    assert not any(path.startswith("/lib/") for path in files)
    program = romfs.build({p: c for p, c in shop.kit.app.items() if p.startswith("/lib/")})
    assert flash[rom.offset : rom.end] == program.ljust(rom.size, b"\xff")
    assert [r["event"] for r in shop.ledger.rows] == ["pass"]
    assert "a secret psk" not in json.dumps(shop.ledger.rows)


def test_a_program_that_changed_on_the_flash_is_found(shop: Workshop, tmp_path: Path) -> None:
    files = unit_files.assemble(
        shop.kit, shop.batch, "u-0101", shop.batch.units["u-0101"][0], "lte"
    )
    flash = bytearray(b"\xff" * 4 * MB)
    for at, content in layout.plan(shop.kit.image, 4 * MB).regions(files):
        flash[at : at + len(content)] = content
    flash[flash.index(files["/rom/lib/unit_main.mpy"]) + 200] ^= 1
    (tmp_path / "board").mkdir()
    (tmp_path / "board/flash.bin").write_bytes(flash)
    with Esp32Board(tmp_path / "board") as board:
        serial = shop.batch.units["u-0101"][0].serial
        of = {"app": shop.kit.app_id, "image": shop.kit.image_sha256, "board": "lte"}
        shop.ledger.add("pass", unit="u-0101", mac=board.mac, serial=serial, **of)
        with pytest.raises(FlashError, match=r"identity: /rom/lib/unit_main.mpy is not as written"):
            job.check_unit(shop, board.port, "u-0101", test_line=False)


def _partitions(flash: bytes) -> tuple[Partition, Partition]:
    """Return the ROMFS and the file system that the table on a flash names."""
    rows = partitions.parse(flash[partitions.TABLE_ADDRESS :][: partitions.TABLE_SIZE])
    rom = partitions.find(rows, "romfs")
    assert rom is not None
    return rom, partitions.file_system(rows, len(flash))


def test_without_romfs_the_program_lies_in_the_file_system(shop: Workshop, tmp_path: Path) -> None:
    stock = micropython_image.check(fake.make(romfs=False))
    shop = replace(shop, kit=replace(shop.kit, image=stock))
    with Esp32Board(tmp_path / "board", flash_mb=8) as board, UnitWorld(board) as world:
        shop.person.on_say = world.obey
        make_unit(shop, Order(board.port, "u-0101", "lte", test_line=False))
    files = filesystem.read(board.flash.read_bytes()[2 * MB :])
    assert {"/lib/unit_main.mpy", "/key.der"} <= set(files)


@pytest.mark.parametrize("table", [b"", fake.table()], ids=["damaged table", "older layout"])
def test_records_are_not_erased_when_nobody_answers(
    shop: Workshop, tmp_path: Path, table: bytes
) -> None:
    (tmp_path / "board").mkdir()
    worn = (b"\xff" * 0x8000 + table).ljust(2 * MB, b"\xff")
    worn += filesystem.build({"/queue/0-1": b"an SOS"}, 2 * MB)
    (tmp_path / "board/flash.bin").write_bytes(worn)
    shop.person.answers = {"unsent records": None}
    with Esp32Board(tmp_path / "board") as board:
        with pytest.raises(FlashError, match="they were not erased"):
            make_unit(shop, Order(board.port, "u-0101", "lte"))
        assert board.flash.read_bytes() == worn


def test_a_bad_line_is_tried_more_slowly(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    class BadLine:
        def __init__(self, port: str, baud: int) -> None:
            tried.append(baud)
            if baud > 115200:
                raise explain(port, "Packet content transfer stopped")
            raise explain(port, "[Errno 5] Input/output error")

    monkeypatch.setattr(job, "Chip", BadLine)
    with pytest.raises(FlashError, match="went away"):
        make_unit(shop, Order("COM3", "u-0101", "lte"))
    assert tried == [921600, 460800, 115200]


def test_a_motor_that_nobody_felt_is_no_pass(shop: Workshop, tmp_path: Path) -> None:
    shop.person.answers = {"vibrate": False}
    with Esp32Board(tmp_path / "board") as board, UnitWorld(board) as world:
        shop.person.on_say = world.obey
        with pytest.raises(FlashError, match=r"u-0101 is no unit yet: haptic: .* not felt"):
            make_unit(shop, Order(board.port, "u-0101", "devkit", test_line=False))
    assert shop.ledger.rows == []


@pytest.mark.parametrize("at", ["becomes u-0101", "vibrate"])
def test_a_board_pulled_out_at_any_step_is_no_unit(shop: Workshop, tmp_path: Path, at: str) -> None:
    with Esp32Board(tmp_path / "board") as board, UnitWorld(board) as world:

        def pull(port: str, text: str) -> None:
            world.obey(port, text)
            if at in text:
                board.unplug()

        shop.person.on_say = pull
        port = board.port
        with pytest.raises(FlashError) as told:
            make_unit(shop, Order(port, "u-0101", "lte", test_line=False))
        assert "went away" in str(told.value) or "no such port" in str(told.value)
    assert shop.ledger.rows == []
    again = Person()
    with Esp32Board(tmp_path / "board") as board, UnitWorld(board) as world:
        again.on_say = world.obey
        order = Order(board.port, "u-0101", "lte", test_line=False)
        make_unit(replace(shop, person=again), order)
    assert [row["event"] for row in shop.ledger.rows if row["event"] == "pass"] == ["pass"]


def test_a_unit_is_checked_with_the_kit_it_was_made_of(shop: Workshop) -> None:
    serial = shop.batch.units["u-0101"][0].serial
    of = {"unit": "u-0101", "mac": "24:0a", "serial": serial, "board": "lte"}
    shop.ledger.add("pass", **of, app=shop.kit.app_id, image="another image")
    with pytest.raises(FlashError, match=r"on image another imag.*name that kit"):
        job.check_unit(shop, "no port is opened", "u-0101")
    with pytest.raises(FlashError, match="never made here"):
        job.check_unit(shop, "no port is opened", "u-0102")
