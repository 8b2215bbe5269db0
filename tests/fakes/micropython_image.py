"""A stand-in for the ESP32_GENERIC image, which no package registry carries.

Its layout is the real one's: boot loader header at 0, partition table at 0x7000 with `nvs`,
`phy_init` and `factory` and no `vfs` row (MicroPython 1.26 and newer), application at 0xF000 with
MicroPython's banner. The rest is noise that compresses like code (about 2:1), from a fixed seed.
"""

from __future__ import annotations

import hashlib
import random
import struct

ROWS = [  # label, type, subtype, offset, size: ports/esp32 partition table, 4 MB and larger
    (b"nvs", 1, 2, 0x9000, 0x6000),
    (b"phy_init", 1, 1, 0xF000, 0x1000),
    (b"factory", 0, 0, 0x10000, 0x1F0000),
]


def table(rows: list[tuple[bytes, int, int, int, int]] = ROWS) -> bytes:
    """Return one table sector (0xC00 bytes), closed by its MD5 row."""
    body = b"".join(
        struct.pack("<2sBBII16sI", b"\xaa\x50", kind, subtype, offset, size, label, 0)
        for label, kind, subtype, offset, size in rows
    )
    digest = hashlib.md5(body, usedforsecurity=False).digest()
    return (body + b"\xeb\xeb" + b"\xff" * 14 + digest).ljust(0xC00, b"\xff")


def make(
    app_size: int = 96 * 1024, version: str = "1.29.0", chip: int = 0, romfs: bool = True
) -> bytes:
    """Return an image whose application has `app_size` bytes (the real one: about 1.7 MB).

    `romfs`: with the names that MICROPY_VFS_ROM=1 adds; stock ESP32_GENERIC has it off.
    """
    noise = random.Random(1)
    header = struct.pack("<BBBBIBBBBHB", 0xE9, 0, 2, 0x20, 0, 0, 0, 0, 0, chip, 0).ljust(24, b"\0")
    # 16 symbols of 256: as compressible as machine code is
    body = bytes(noise.choices(range(0, 256, 16), k=app_size))
    banner = f"v{version} on 2026-08-29\0".encode()
    if romfs:
        banner += b"VfsRom\0rom_ioctl\0/rom/lib\0"
    app = header + banner + body[len(header) + len(banner) :]
    boot = (header + body[: 0x5000 - len(header)]).ljust(0x7000, b"\xff")
    return (boot + table()).ljust(0xF000, b"\xff") + app
