"""The partition table inside a MicroPython image, and where the unit's two file systems go.

The table is a sector of 32-byte rows at 0x8000 of the flash (ESP-IDF "Partition Tables"): magic
AA 50, type, subtype, offset, size (little endian), a label of 16 bytes, flags; a row EB EB holds
the MD5 of the rows before it; 0xFF ends it.

MicroPython 1.26 and newer carry no `vfs` row: at boot the port makes one from the end of the last
partition to the end of the flash found (micropython pull request 17337). A LittleFS image must be
exactly as large as that, or the unit does not mount it.

Where the build runs bytecode out of a ROMFS, a `romfs` row is put between the application and that
end (MicroPython's tables do the same, with subtype 0x8f), and the file system begins behind it. Not
at the end of the flash: the boot loader believes the image's header, which says 4 MB, and refuses a
table with a row beyond that, however large the chip is.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, replace

from flashing.errors import FlashError

TABLE_ADDRESS = 0x8000
TABLE_SIZE = 0xC00
ROW = struct.Struct("<2sBBII16sI")
ROW_MAGIC, MD5_MAGIC = b"\xaa\x50", b"\xeb\xeb"
APP, DATA = 0, 1
SUBTYPE_ROMFS, SUBTYPE_FAT = 0x8F, 0x81
FLASH_BLOCK = 4096  # bytes; erase unit of every flash chip in use, and LittleFS's block
SMALLEST_FS = 512 * 1024  # bytes: the app, and a day of track
ROMFS_SIZE = 512 * 1024  # bytes: four times the program; a multiple of the 64 KB that are mapped


@dataclass(frozen=True)
class Partition:
    """One row; offset and size in bytes of flash."""

    label: str
    type: int
    subtype: int
    offset: int
    size: int
    flags: int = 0

    @property
    def end(self) -> int:
        return self.offset + self.size


def parse(table: bytes) -> list[Partition]:
    """Return the rows of a table sector; FlashError unless its MD5 row is there and right."""
    rows: list[Partition] = []
    for at in range(0, min(len(table), TABLE_SIZE) - ROW.size + 1, ROW.size):
        row = table[at : at + ROW.size]
        if row[:2] == ROW_MAGIC:
            _, kind, subtype, offset, size, label, flags = ROW.unpack(row)
            name = label.split(b"\0")[0].decode("ascii", "replace")
            rows.append(Partition(name, kind, subtype, offset, size, flags))
        elif row[:2] == MD5_MAGIC:
            if hashlib.md5(table[:at], usedforsecurity=False).digest() != row[16:]:
                break
            return rows
        else:
            break
    raise FlashError(
        "image: its partition table is missing or damaged: fetch the MicroPython image again"
    )


def render(rows: list[Partition]) -> bytes:
    """Return the table sector of these rows, closed by its MD5 row."""
    body = b"".join(
        ROW.pack(ROW_MAGIC, r.type, r.subtype, r.offset, r.size, r.label.encode(), r.flags)
        for r in rows
    )
    digest = hashlib.md5(body, usedforsecurity=False).digest()
    return (body + MD5_MAGIC + b"\xff" * 14 + digest).ljust(TABLE_SIZE, b"\xff")


def find(rows: list[Partition], *labels: str) -> Partition | None:
    """Return the first data row with one of these labels."""
    return next((row for row in rows if row.type == DATA and row.label in labels), None)


def with_romfs(rows: list[Partition]) -> list[Partition]:
    """Return the rows with a `romfs` row, taken from the beginning of the file system's room."""
    if find(rows, "romfs"):
        return rows  # a build with a table of its own
    home = find(rows, "vfs", "ffat")
    others = [row for row in rows if row is not home]
    start = home.offset if home else max(row.end for row in rows)
    rom = Partition("romfs", DATA, SUBTYPE_ROMFS, start, ROMFS_SIZE)
    if home is None:
        return [*others, rom]
    return [*others, rom, replace(home, offset=rom.end, size=home.size - rom.size)]


def file_system(rows: list[Partition], flash_size: int) -> Partition:
    """Return where the unit's file system lies on a flash of `flash_size` bytes."""
    found = find(rows, "vfs", "ffat")
    if found is None:
        start = max(row.end for row in rows)
        found = Partition("vfs", DATA, SUBTYPE_FAT, start, flash_size - start)
    if found.end > flash_size or found.size < SMALLEST_FS:
        raise FlashError(
            f"board: its flash of {flash_size // 2**20} MB is too small for MicroPython and the "
            "unit's files: use a board with 4 MB or more"
        )
    return found
