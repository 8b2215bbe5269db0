"""The unit's LittleFS as one image, made and read on the laptop.

Disk version 2.1 is what MicroPython's littlefs reads and writes. The image always fills its whole
partition: a shorter one does not mount, and every block that is not a file's is 0xFF, so that the
credentials of an earlier life of the board do not survive in a forgotten block.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from littlefs import LittleFS, LittleFSError

from flashing.errors import FlashError
from flashing.partitions import FLASH_BLOCK

DISK_VERSION = 0x00020001
MAGIC = b"littlefs"  # within the first bytes of block 0 or 1 of every LittleFS 2


def build(files: dict[str, bytes], size: int) -> bytes:
    """Return the image of `size` bytes that holds `files` (absolute POSIX path -> content)."""
    fs = LittleFS(
        block_size=FLASH_BLOCK, block_count=size // FLASH_BLOCK, disk_version=DISK_VERSION
    )
    for path, content in sorted(files.items()):
        try:
            fs.makedirs(str(PurePosixPath(path).parent), exist_ok=True)
            with fs.open(path, "wb") as out:
                out.write(content)
        except LittleFSError as error:
            raise FlashError(
                f"image: {path} does not fit into {size // 1024} KB of file system: "
                "use a board with a larger flash"
            ) from error
    return bytes(fs.context.buffer)


def holds_one(first_blocks: bytes) -> bool:
    """Tell whether the first two blocks of a partition are those of a LittleFS."""
    return any(MAGIC in first_blocks[at : at + 64] for at in (0, FLASH_BLOCK))


def read(image: bytes, below: str = "/") -> dict[str, bytes]:
    """Return every file below a folder of an image; FlashError when it does not mount."""
    fs = LittleFS(
        block_size=FLASH_BLOCK,
        block_count=len(image) // FLASH_BLOCK,
        disk_version=DISK_VERSION,
        mount=False,
    )
    fs.context.buffer = bytearray(image)
    files: dict[str, bytes] = {}
    try:
        fs.mount()
        for root, _, names in fs.walk(below):
            for name in names:
                path = str(PurePosixPath(root) / name)
                with fs.open(path, "rb") as source:
                    files[path] = source.read()
    except LittleFSError as error:
        raise FlashError(
            "unit: its file system is damaged and cannot be read out: keep the board aside"
        ) from error
    return files
