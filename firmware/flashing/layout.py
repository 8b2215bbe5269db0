"""What goes where on one board's flash: MicroPython, the program, and what is the unit's own.

Where the MicroPython build knows ROMFS, the program (/lib of the kit) lies in a partition of its
own, out of which it runs without being copied into RAM. Every other build gets it on LittleFS with
the rest. Both partitions are written to their last byte, so that
nothing of an earlier life of the board stays.
"""

from __future__ import annotations

from dataclasses import dataclass

from flashing import filesystem, micropython_image, partitions, romfs
from flashing.errors import FlashError
from flashing.micropython_image import IMAGE_ADDRESS, MicroPythonImage
from flashing.partitions import Partition

PROGRAM = "/lib/"  # what of the unit's files may lie in the ROMFS


@dataclass(frozen=True)
class Layout:
    """The plan for one board: the image as it is written, and its two partitions."""

    image: bytes
    rom: Partition | None
    home: Partition

    def regions(self, files: dict[str, bytes]) -> list[tuple[int, bytes]]:
        """Return (address, bytes) of all that is written; `files` as `on_unit` names them."""
        written = [(IMAGE_ADDRESS, self.image)]
        if self.rom is not None:
            inside = len(romfs.MOUNTED_AT)
            program = {p[inside:]: c for p, c in files.items() if _in_rom(p)}
            written.append((self.rom.offset, _filled(romfs.build(program), self.rom)))
        own = {path: content for path, content in files.items() if not _in_rom(path)}
        written.append((self.home.offset, filesystem.build(own, self.home.size)))
        return written


def plan(image: MicroPythonImage, flash_size: int) -> Layout:
    """Return the layout of a board with `flash_size` bytes; FlashError where it is too small."""
    if not image.romfs:
        return Layout(image.content, None, partitions.file_system(image.rows, flash_size))
    rows = partitions.with_romfs(image.rows)
    content = micropython_image.with_table(image.content, rows)
    home = partitions.file_system(rows, flash_size)
    return Layout(content, partitions.find(rows, "romfs"), home)


def likely_homes(image: MicroPythonImage, flash_size: int) -> list[Partition]:
    """Return where a board's file system may be when its own table tells nothing."""
    both = (image.rows, partitions.with_romfs(image.rows))
    return [partitions.file_system(rows, flash_size) for rows in both]


def on_unit(image: MicroPythonImage, files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the same files under the paths that the unit will see them at."""
    if not image.romfs:
        return files
    return {
        (romfs.MOUNTED_AT + path if path.startswith(PROGRAM) else path): content
        for path, content in files.items()
    }


def _in_rom(path: str) -> bool:
    return path.startswith(romfs.MOUNTED_AT + "/")


def _filled(image: bytes, rom: Partition) -> bytes:
    if len(image) > rom.size:
        raise FlashError(
            f"image: the program ({len(image) // 1024} KB) does not fit into its {rom.size // 1024}"
            " KB: give a MicroPython image with a larger romfs partition"
        )
    return image.ljust(rom.size, b"\xff")
