"""Unsent records of a unit, taken off its flash before a reflash erases them.

Through the boot loader, not the program: a unit that is being reflashed is often one whose program
no longer starts. What is taken: the folder of the unit's store, and the sectors where the SOS latch
and the kept values lie (nvs and phy_init). They are written to the laptop for its owner only.
"""

from __future__ import annotations

import datetime
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from body_unit.store import Store
from body_unit.store_latch import Latch
from flashing import filesystem, partitions
from flashing.chip import Chip
from flashing.errors import FlashError
from flashing.files import write_private
from flashing.ledger import Ledger
from flashing.partitions import Partition
from flashing.technician import Technician

STORE = "/queue"  # the store's folder on the unit (firmware/body_unit/store.py)
KEPT = (0x9000, 0x7000)  # nvs and phy_init of MicroPython's partition table: offset, bytes
LATCH = (0xF000, 0x1000)  # phy_init, which MicroPython leaves unused: the open SOS


def find_home(chip: Chip, likely: list[Partition]) -> Partition | None:
    """Return where this board has a unit's file system: by its own table, else where it is likely.

    A unit that another kit made has it elsewhere than this kit would put it.
    """
    places: list[Partition] = []
    table = chip.read(partitions.TABLE_ADDRESS, partitions.TABLE_SIZE)
    with suppress(FlashError):  # a blank board, or a damaged one
        places.append(partitions.file_system(partitions.parse(table), chip.facts.flash_size))
    for place in [*places, *likely]:
        if filesystem.holds_one(chip.read(place.offset, 2 * partitions.FLASH_BLOCK)):
            return place
    return None


def take(chip: Chip, home: Partition) -> dict[str, bytes]:
    """Return name -> content of everything that an unsent record may lie in."""
    image = chip.read(home.offset, home.size)
    files = filesystem.read(image)
    found = {path: content for path, content in files.items() if path.startswith(STORE + "/")}
    found["/kept.bin"] = chip.read(*KEPT)
    return found


class Sector:
    """The latch's flash sector, as body_unit.store_latch reads it; nothing can be written."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def readblocks(self, block: int, buffer: bytearray, offset: int) -> None:
        buffer[:] = self._content[offset : offset + len(buffer)]


def open_sos(kept: bytes) -> bool:
    """Tell whether the board held an SOS that nobody had closed."""
    at = LATCH[0] - KEPT[0]
    return bool(Latch(Sector(kept[at : at + LATCH[1]])).value)


def unsent(store_folder: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what was never acknowledged, SOS first, and what the unit had lost and not yet said.

    Both are read by the unit's own store.
    """
    records: list[dict[str, Any]] = []
    lost: list[dict[str, Any]] = []

    def declare(boot: str, first: int, last: int, count: int, why: str) -> tuple[int, str, bytes]:
        lost.append({"boot": boot, "first": first, "last": last, "count": count, "why": why})
        return 1, "", b""  # only the unit itself may number a gap record

    store = Store(str(store_folder), "0" * 16, declare)
    while found := store.take():
        (klass, boot, seq), topic, payload = found
        if topic:
            text = bytes(payload).decode(errors="replace")
            row = {"class": klass, "boot": boot, "seq": seq, "topic": topic, "payload": text}
            records.append(row)
    return records, lost


class ReadOut:
    """Where read-outs go: one folder each, and a row in the ledger."""

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self._folder, self._ledger = folder, ledger

    def save(self, found: dict[str, bytes], mac: str, person: Technician, port: str) -> Path:
        """Write what was found, the records as `unsent.jsonl`, and tell where."""
        now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%S%fZ")
        into = self._folder / f"{mac.replace(':', '')}-{now}"
        for path, content in found.items():
            write_private(into / path.lstrip("/"), content)
        records, lost = unsent(into / STORE.lstrip("/"))
        for name, rows in (("unsent.jsonl", records), ("lost.jsonl", lost)):
            lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
            write_private(into / name, "".join(lines).encode())
        self._ledger.add("read-out", mac=mac, records=len(records))
        person.say(port, f"saved {len(records)} unsent records in {into}")
        if records:
            person.say(port, "they reach the county with `patrolctl hand-in` of its unsent.jsonl")
        if lost:
            count = sum(row["count"] for row in lost)
            person.say(port, f"{count} more it had lost before, as lost.jsonl there says")
        if open_sos(found["/kept.bin"]):
            person.say(port, "this unit holds an SOS that nobody closed: ask the county first")
        return into
