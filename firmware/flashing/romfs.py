"""The unit's program as one ROMFS image, from which MicroPython runs it in place.

A .mpy on LittleFS is copied into the heap when it is imported; out of a ROMFS, which the chip maps
into its address space, bytecode and constants stay in the flash (MicroPython, "Working with
ROMFS"). The port mounts the partition labelled `romfs` at /rom before anything runs, and puts /rom
and /rom/lib on sys.path in front of LittleFS's /lib.

The writer is mpremote's own, which is not a documented interface: that package is pinned, and this
is the only module that knows it.
"""

from __future__ import annotations

from mpremote.romfs import VfsRomWriter

MOUNTED_AT = "/rom"  # where the unit sees what is built here

Tree = dict[str, "Tree | bytes"]


def build(files: dict[str, bytes]) -> bytes:
    """Return the image of `files` (absolute POSIX path inside the image, ASCII -> content)."""
    writer = VfsRomWriter()
    _write(writer, _tree(files))
    return bytes(writer.finalise())


def _tree(files: dict[str, bytes]) -> Tree:
    root: Tree = {}
    for path, content in sorted(files.items()):
        *folders, name = path.strip("/").split("/")
        here = root
        for folder in folders:
            below = here.setdefault(folder, {})
            assert isinstance(below, dict), f"{path}: {folder} is a file"
            here = below
        here[name] = content
    return root


def _write(writer: VfsRomWriter, tree: Tree) -> None:
    for name, what in tree.items():
        if isinstance(what, bytes):
            writer.mkfile(name, what)
        else:
            writer.opendir(name)
            _write(writer, what)
            writer.closedir()
