"""Unsent records of a unit, taken off its flash before a reflash erases them.

Through the boot loader, not the program: a unit that is being reflashed is often one whose program
no longer starts. What is taken: the folder of the unit's store, and the sectors where the SOS latch
and the kept values lie (nvs and phy_init). They are written to the laptop for its owner only.
"""

from __future__ import annotations

import datetime
from pathlib import Path

from flashing import filesystem
from flashing.chip import Chip
from flashing.errors import FlashError
from flashing.files import write_private
from flashing.ledger import Ledger
from flashing.partitions import Partition
from flashing.technician import Technician

STORE = "/queue"  # the store's folder on the unit (firmware/body_unit/store.py)
KEPT = (0x9000, 0x7000)  # nvs and phy_init of MicroPython's partition table: offset, bytes


def take(chip: Chip, home: Partition) -> dict[str, bytes]:
    """Return name -> content of everything that an unsent record may lie in."""
    image = chip.read(home.offset, home.size)
    files = filesystem.read(image)
    found = {path: content for path, content in files.items() if path.startswith(STORE + "/")}
    found["/kept.bin"] = chip.read(*KEPT)
    return found


class ReadOut:
    """Where read-outs go: one folder each, and a row in the ledger."""

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self._folder, self._ledger = folder, ledger

    def save(self, found: dict[str, bytes], mac: str, person: Technician, port: str) -> Path:
        """Write what was found and tell where."""
        now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
        into = self._folder / f"{mac.replace(':', '')}-{now}"
        if into.exists():
            raise FlashError(f"read-out: {into} is there already: wait a second and try again")
        for path, content in found.items():
            write_private(into / path.lstrip("/"), content)
        self._ledger.add("read-out", mac=mac, files=len(found), bytes=sum(map(len, found.values())))
        person.say(port, f"saved {len(found)} files in {into}")
        return into
