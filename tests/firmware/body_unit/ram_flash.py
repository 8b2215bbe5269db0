"""Flash in RAM for MicroPython: a block device that LittleFS mounts, which remembers every write.

`log` holds (operation, block, offset, data) of each program and erase, so that the flash can be
rebuilt as it was when the power went at any of them. NOR semantics: programming clears bits.
"""

import os

import vfs

BLOCK = 4096


class RamFlash:
    def __init__(self, blocks, log=None):
        self.data = bytearray(b"\xff" * (blocks * BLOCK))
        self.log = log
        self.erases = 0

    def readblocks(self, block, buf, offset=0):
        at = block * BLOCK + offset
        buf[:] = self.data[at : at + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        if self.log is not None:
            self.log.append(("write", block, offset, bytes(buf)))
        self.program(block, offset, buf)

    def program(self, block, offset, buf):
        at = block * BLOCK + offset
        end = at + len(buf)
        if self.data[at:end] == b"\xff" * len(buf):
            self.data[at:end] = buf
        else:
            for i, byte in enumerate(buf):
                self.data[at + i] &= byte

    def ioctl(self, op, arg):
        if op == 4:
            return len(self.data) // BLOCK
        if op == 5:
            return BLOCK
        if op == 6:
            if self.log is not None:
                self.log.append(("erase", arg, 0, b""))
            self.erase(arg, BLOCK)
        return 0

    def erase(self, block, count):
        self.erases += 1
        self.data[block * BLOCK : block * BLOCK + count] = b"\xff" * count


def mount(flash, make=False):
    """LittleFS of `flash` at /flash; `make` formats it first."""
    if make:
        vfs.VfsLfs2.mkfs(flash)
    vfs.mount(vfs.VfsLfs2(flash), "/flash")


def umount():
    os.chdir("/")
    vfs.umount("/flash")
