"""The partition table inside a MicroPython image, and where the unit's file system goes.

The table is a sector of 32-byte rows at 0x8000 of the flash (ESP-IDF "Partition Tables"): magic
AA 50, type, subtype, offset, size (little endian), a label of 16 bytes, flags; a row EB EB holds
the MD5 of the rows before it; 0xFF ends it.

MicroPython 1.26 and newer carry no `vfs` row: at boot the port makes one from the end of the last
partition to the end of the flash found (micropython pull request 17337). A LittleFS image must be
exactly as large as that, or the unit does not mount it.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

from flashing.errors import FlashError

TABLE_ADDRESS = 0x8000
TABLE_SIZE = 0xC00
ROW = struct.Struct("<2sBBII16sI")
APP, DATA = 0, 1
FLASH_BLOCK = 4096  # bytes; erase unit of every flash chip in use, and LittleFS's block
SMALLEST_FS = 512 * 1024  # bytes: the app, and a day of track


@dataclass(frozen=True)
class Partition:
    """One row; offset and size in bytes of flash."""

    label: str
    type: int
    subtype: int
    offset: int
    size: int

    @property
    def end(self) -> int:
        return self.offset + self.size


def parse(table: bytes) -> list[Partition]:
    """Return the rows of a table sector; FlashError unless its MD5 row is there and right."""
    rows: list[Partition] = []
    for at in range(0, min(len(table), TABLE_SIZE) - ROW.size + 1, ROW.size):
        row = table[at : at + ROW.size]
        if row[:2] == b"\xaa\x50":
            _, kind, subtype, offset, size, label, _ = ROW.unpack(row)
            name = label.split(b"\0")[0].decode("ascii", "replace")
            rows.append(Partition(name, kind, subtype, offset, size))
        elif row[:2] == b"\xeb\xeb":
            if hashlib.md5(table[:at], usedforsecurity=False).digest() != row[16:]:
                break
            return rows
        else:
            break
    raise FlashError(
        "image: its partition table is missing or damaged: fetch the MicroPython image again"
    )


def file_system(rows: list[Partition], flash_size: int) -> Partition:
    """Return where the unit's file system lies on a flash of `flash_size` bytes."""
    for row in rows:
        if row.type == DATA and row.label in ("vfs", "ffat"):
            found = row
            break
    else:
        start = max(row.end for row in rows)
        found = Partition("vfs", DATA, 0x81, start, flash_size - start)
    if found.end > flash_size or found.size < SMALLEST_FS:
        raise FlashError(
            f"board: its flash of {flash_size // 2**20} MB is too small for MicroPython and the "
            "unit's files: use a board with 4 MB or more"
        )
    return found
