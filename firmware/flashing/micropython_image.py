"""What a MicroPython image for the ESP32 says about itself, checked before it is trusted.

The file is written at 0x1000, so the flash's 0x8000 is the file's 0x7000. ESP images begin with
0xE9 and name their chip in bytes 12 and 13 (ESP-IDF "App Image Format"); a build for an ESP32-S3
would be written without complaint by a careless tool and never boot.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from flashing import partitions
from flashing.errors import FlashError

IMAGE_ADDRESS = 0x1000  # where the ESP32's ROM looks for the boot loader
ESP_MAGIC = 0xE9
CHIP_ESP32 = 0
# Names that only a build with MICROPY_VFS_ROM has: its class, and the function that maps it.
ROMFS_NAMES = (b"VfsRom\0", b"rom_ioctl\0")
BANNER = re.compile(rb"v(\d+\.\d+\.\d+)(?:-[\w.-]+)? on \d{4}-\d\d-\d\d")  # os.uname().version


@dataclass(frozen=True)
class MicroPythonImage:
    """A checked image: its bytes, its partition rows and its version, such as '1.29.0'.

    `romfs` tells whether it can run bytecode out of a ROMFS. Stock ESP32_GENERIC cannot: it is a
    matter of one line when MicroPython is built (MICROPY_VFS_ROM=1).
    """

    content: bytes
    rows: list[partitions.Partition]
    version: str
    romfs: bool


def check(content: bytes, wanted_version: str | None = None) -> MicroPythonImage:
    """Return the image, or FlashError saying what it is instead."""
    app_offset = 0
    if len(content) > partitions.TABLE_ADDRESS and content[0] == ESP_MAGIC:
        table_at = partitions.TABLE_ADDRESS - IMAGE_ADDRESS
        rows = partitions.parse(content[table_at : table_at + partitions.TABLE_SIZE])
        apps = [row.offset for row in rows if row.type == partitions.APP]
        app_offset = min(apps, default=0) - IMAGE_ADDRESS
    else:
        rows = []
    if not rows or app_offset <= 0 or content[app_offset : app_offset + 1] != bytes([ESP_MAGIC]):
        raise FlashError(
            "image: this file is no MicroPython image for the ESP32: give ESP32_GENERIC-….bin"
        )
    (chip,) = struct.unpack_from("<H", content, 12)
    if chip != CHIP_ESP32:
        raise FlashError(
            f"image: it is built for another chip (number {chip}): give ESP32_GENERIC-….bin"
        )
    banner = BANNER.search(content, app_offset)
    if banner is None:
        raise FlashError(
            "image: no MicroPython is inside: give the ESP32_GENERIC-….bin of micropython.org"
        )
    version = banner.group(1).decode()
    if wanted_version is not None and version != wanted_version:
        raise FlashError(
            f"image: it is MicroPython {version} but the app is compiled for {wanted_version}: "
            "give the image of that version, or build the kit again"
        )
    romfs = all(name in content[app_offset:] for name in ROMFS_NAMES)
    return MicroPythonImage(content, rows, version, romfs)


def with_table(content: bytes, rows: list[partitions.Partition]) -> bytes:
    """Return the image with another partition table; no digest of the image covers the table."""
    at = partitions.TABLE_ADDRESS - IMAGE_ADDRESS
    table = partitions.render(rows)
    return content[:at] + table + content[at + len(table) :]
