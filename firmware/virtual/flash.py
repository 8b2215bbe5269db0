"""The flash behind the file system: a host file that behaves like esp32.Partition("vfs").

Written through at once: what the unit wrote is there after SIGKILL, and an erase takes its time.
"""

import os

import vfs
import world

BLOCK = 4096
_BLANK = b"\xff" * 64  # an erased block is written in such pieces: this is not the unit's memory
ROOT = "/flash"  # on the ESP32 it is "/", which the unix port needs for itself


class Partition:
    """Block device of MicroPython's extended protocol, as esp32.Partition with block_size=4096."""

    def __init__(self, path, size, note=None):
        """note: the code in the world's `out` for each write, so that a test can time it."""
        self._note = note
        try:
            self._f = open(path, "r+b")
        except OSError:
            with open(path, "wb") as f:
                for _ in range(size // len(_BLANK)):
                    f.write(_BLANK)
            self._f = open(path, "r+b")
        self._blocks = self._f.seek(0, 2) // BLOCK

    def readblocks(self, block, buffer, offset=0):
        self._f.seek(block * BLOCK + offset)
        self._f.readinto(buffer)

    def writeblocks(self, block, buffer, offset=None):
        if offset is None:
            for one in range(len(buffer) // BLOCK):
                self.ioctl(6, block + one)
        self._f.seek(block * BLOCK + (offset or 0))
        self._f.write(buffer)
        if self._note is not None:
            with world.LOCK:
                world.note(self._note, 0)

    def ioctl(self, op, argument):
        if op == 4:
            return self._blocks
        if op == 5:
            return BLOCK
        if op == 6:
            world.erase(0 if self._note is None else 1)
            self._f.seek(argument * BLOCK)
            for _ in range(BLOCK // len(_BLANK)):
                self._f.write(_BLANK)
            return 0
        return 0 if op in (1, 2, 3) else None


def power_on(size):
    """Mount the flash as the ESP32's _boot.py does, and go there; a new one gets `files/`."""
    device = Partition(world.path("flash.img"), size)
    try:
        system = vfs.VfsLfs2(device)
    except OSError:
        vfs.VfsLfs2.mkfs(device)
        system = vfs.VfsLfs2(device)
        vfs.mount(system, ROOT)
        _copy(world.path("files"), ROOT)
    else:
        vfs.mount(system, ROOT)
    os.chdir(ROOT)


def _copy(source, target):
    for name, kind, *_ in os.ilistdir(source):
        if kind == 0x4000:
            os.mkdir(target + "/" + name)
            _copy(source + "/" + name, target + "/" + name)
            continue
        with open(source + "/" + name, "rb") as old, open(target + "/" + name, "wb") as new:
            while piece := old.read(256):
                new.write(piece)
