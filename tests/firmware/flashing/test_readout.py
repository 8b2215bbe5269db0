"""Read-out: what the unit's own store wrote comes off a flash image, and an open SOS shows."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from body_unit.store import Store
from body_unit.store_latch import Latch
from flashing import filesystem, readout
from flashing.ledger import Ledger
from flashing.partitions import Partition
from tests.fakes import micropython_image as fake
from tests.fakes.bench_hand import Hand
from tests.fakes.esp32_board import Esp32Board
from tests.firmware.flashing.conftest import Person

HOME = Partition("vfs", 1, 0x81, 0x200000, 0x200000)
ROMFS = (b"romfs", 1, 0x8F, 0x200000, 0x80000)
BOOT = "00112233445566ff"


class Nor:
    """A blank sector that the unit's latch may write."""

    def __init__(self) -> None:
        self.content = bytearray(b"\xff" * 4096)

    def readblocks(self, block: int, buffer: bytearray, offset: int) -> None:
        buffer[:] = self.content[offset : offset + len(buffer)]

    def writeblocks(self, block: int, buffer: bytes, offset: int) -> None:
        for index, byte in enumerate(buffer):
            self.content[offset + index] &= byte


class FlashOnly:
    """A Chip whose flash is given."""

    def __init__(self, flash: bytes) -> None:
        self._flash = flash
        self.facts = SimpleNamespace(flash_size=len(flash))

    def read(self, offset: int, size: int) -> bytes:
        return self._flash[offset : offset + size]


def worn_unit(folder: Path, sos: bytes) -> bytes:
    """Return the flash of a unit with three records, one of them acknowledged."""
    store = Store(str(folder), BOOT, lambda *loss: None, slack=1)
    for seq, klass in ((1, 2), (2, 0), (3, 2)):
        store.append(klass, seq, f"patrol/v1/c/u/{seq}", b'{"seq":%d}' % seq)
    store.take()
    store.done((0, BOOT, 2))
    store.commit()
    files = {f"/queue/{path.name}": path.read_bytes() for path in folder.iterdir()}
    flash = bytearray(b"\xff" * 0x400000)
    flash[0x200000:] = filesystem.build({**files, "/unit.json": b"{}"}, HOME.size)
    sector = Nor()
    if sos:
        assert Latch(sector).write(sos)
    flash[0xF000:0x10000] = sector.content
    return bytes(flash)


def test_unsent_records_are_saved_for_their_owner_only(tmp_path: Path) -> None:
    chip = FlashOnly(worn_unit(tmp_path / "unit", b""))
    found = readout.take(chip, HOME)  # type: ignore[arg-type]
    assert "/unit.json" not in found
    person, ledger = Person(), Ledger(tmp_path / "home")
    into = readout.ReadOut(tmp_path / "saved", ledger).save(found, "24:0a", person, "port")
    records = [json.loads(line) for line in (into / "unsent.jsonl").read_text().splitlines()]
    assert [(r["class"], r["seq"], r["payload"]) for r in records] == [
        (2, 1, '{"seq":1}'),
        (2, 3, '{"seq":3}'),
    ]
    assert all(
        stat.S_IMODE(path.stat().st_mode) == 0o600 for path in into.rglob("*") if path.is_file()
    )
    assert ledger.rows[-1]["records"] == 2
    assert not any("SOS" in line for line in person.said)


def test_what_the_unit_lost_and_had_not_said_is_told(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "unit"), BOOT, lambda *loss: None, budget=1)
    for seq in (1, 2):
        store.append(2, seq, f"patrol/v1/c/u/{seq}", b"{}")
        assert store.commit()
    records, lost = readout.unsent(tmp_path / "unit")
    assert [record["seq"] for record in records] == [1]
    assert lost == [{"boot": BOOT, "first": 2, "last": 2, "count": 1, "why": "full"}]


def test_an_open_sos_is_told(tmp_path: Path) -> None:
    chip = FlashOnly(worn_unit(tmp_path / "unit", b"raised"))
    found = readout.take(chip, HOME)  # type: ignore[arg-type]
    person = Person()
    readout.ReadOut(tmp_path / "saved", Ledger(tmp_path)).save(found, "24:0a", person, "port")
    assert "an SOS that nobody closed" in person.said[-1]


@pytest.mark.parametrize(
    ("table", "lies_at", "likely", "found_at"),
    [
        ([*fake.ROWS, ROMFS], 0x280000, [], 0x280000),  # as we make units now
        (fake.ROWS, 0x200000, [0x280000], 0x200000),  # as an older kit made them
        (None, 0x280000, [0x200000, 0x280000], 0x280000),  # the table is gone
        (fake.ROWS, 0x280000, [], None),
        (None, 0x400000, [0x280000], None),  # a blank board
    ],
)
def test_the_board_tells_where_its_records_lie(
    table: Any, lies_at: int, likely: list[int], found_at: int | None
) -> None:
    flash = bytearray(b"\xff" * 0x400000)
    if table is not None:
        flash[0x8000 : 0x8000 + len(fake.table(table))] = fake.table(table)
    if lies_at < len(flash):
        flash[lies_at:] = filesystem.build({"/queue/x": b""}, len(flash) - lies_at)
    places = [Partition("vfs", 1, 0x81, at, 0x400000 - at) for at in likely]
    found = readout.find_home(FlashOnly(bytes(flash)), places)  # type: ignore[arg-type]
    assert (found.offset if found else None) == found_at


def test_a_dead_unit_is_read_out_without_kit_or_identities(tmp_path: Path) -> None:
    """All that is needed is the board: a technician in the field has no batch of that day."""
    (tmp_path / "board").mkdir()
    flash = bytearray(worn_unit(tmp_path / "unit", b"raised"))
    flash[0x8000 : 0x8000 + 0xC00] = fake.table()
    (tmp_path / "board/flash.bin").write_bytes(flash)
    with Esp32Board(tmp_path / "board") as board:
        done = Hand().run("--home", str(tmp_path / "home"), "read-out", "--port", board.port)
    assert done.code == 0, done.text
    assert "saved 2 unsent records" in done.text
    assert "patrolctl hand-in" in done.text
    assert "an SOS that nobody closed" in done.text
    (saved,) = (tmp_path / "home/read-out").glob("*/unsent.jsonl")
    assert saved.read_text().count("\n") == 2
    assert (tmp_path / "board/flash.bin").read_bytes() == bytes(flash)
    with Esp32Board(tmp_path / "blank") as board:
        done = Hand().run("--home", str(tmp_path / "home"), "read-out", "--port", board.port)
    assert (done.code, "holds nothing of a unit" in done.text) == (1, True)
