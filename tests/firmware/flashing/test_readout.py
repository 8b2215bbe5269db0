"""Read-out: what the unit's own store wrote comes off a flash image, and an open SOS shows."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from body_unit.store import Store
from body_unit.store_latch import Latch
from flashing import filesystem, readout
from flashing.ledger import Ledger
from flashing.partitions import Partition
from tests.firmware.flashing.conftest import Person

HOME = Partition("vfs", 1, 0x81, 0x200000, 0x200000)
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


def test_an_open_sos_is_told(tmp_path: Path) -> None:
    chip = FlashOnly(worn_unit(tmp_path / "unit", b"raised"))
    found = readout.take(chip, HOME)  # type: ignore[arg-type]
    person = Person()
    readout.ReadOut(tmp_path / "saved", Ledger(tmp_path)).save(found, "24:0a", person, "port")
    assert "an SOS that nobody closed" in person.said[-1]
