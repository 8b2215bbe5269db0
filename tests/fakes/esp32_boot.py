# ruff: noqa: PTH123, SIM115, S102, S324 - MicroPython has no pathlib, and running main.py is the point
# Runs under real MicroPython (unix port): what an ESP32 does from reset to the REPL, from the very
# flash that esptool wrote. The chip's own modules (machine, network, esp32) are firmware/virtual.
# Arguments: the flash file, the folder of the virtual modules, the MAC, and "main" or "raw" (a soft
# reset inside the raw REPL runs boot.py but not main.py).
import hashlib
import os
import struct
import sys

import vfs

BLOCK = 4096
TABLE = 0x8000
ROOT = "/flash"  # "/" on the ESP32; the unix port needs that one for itself
flash_path, chip_modules, mac, mode = sys.argv[1:5]


class Partition:
    """A partition of the flash file, with NOR habits: a program only clears bits."""

    def __init__(self, flash, offset, size):
        self.flash, self.offset, self.size = flash, offset, size

    def readblocks(self, number, buffer, at=0):
        self.flash.seek(self.offset + number * BLOCK + at)
        self.flash.readinto(buffer)

    def writeblocks(self, number, buffer, at=0):
        old = bytearray(len(buffer))
        self.readblocks(number, old, at)
        for index, byte in enumerate(buffer):
            old[index] &= byte
        self.flash.seek(self.offset + number * BLOCK + at)
        self.flash.write(old)
        self.flash.flush()

    def ioctl(self, request, argument):
        if request == 4:
            return self.size // BLOCK
        if request == 5:
            return BLOCK
        if request == 6:
            self.flash.seek(self.offset + argument * BLOCK)
            self.flash.write(b"\xff" * BLOCK)
            return 0
        return None


def partition_table(flash):
    """Return label -> (offset, size); empty where the boot loader would not start.

    It believes the size in its own header (4 MB in every build for that size and up), not the
    chip's, and refuses a table with a row beyond it.
    """
    flash.seek(0x1000)
    magic, _, _, size_and_speed = flash.read(4)
    believed = 2**20 << (size_and_speed >> 4)
    flash.seek(TABLE)
    sector = flash.read(0xC00)
    rows = {}
    at = 0
    while sector[at : at + 2] == b"\xaa\x50":
        label = sector[at + 12 : at + 28].rstrip(b"\0").decode()
        rows[label] = struct.unpack_from("<II", sector, at + 4)
        at += 32
    whole = sector[at : at + 2] == b"\xeb\xeb"
    whole = whole and hashlib.md5(sector[:at]).digest() == sector[at + 16 : at + 32]
    fits = all([offset + size <= believed for offset, size in rows.values()])
    return rows if magic == 0xE9 and whole and fits else {}


def knows_romfs(flash, offset, size):
    """Whether the application on the flash was built with it (its names are in the binary)."""
    flash.seek(offset)
    return b"VfsRom\0" in flash.read(size)


flash = open(flash_path, "r+b")  # stays open when the host's files are unmounted below
rows = partition_table(flash)
if not rows:
    print("invalid header: 0xffffffff")
    while True:
        sys.stdin.read(1)
if "vfs" not in rows:  # MicroPython 1.26 and newer: what is left behind the last partition
    start = max([offset + size for offset, size in rows.values()])
    rows["vfs"] = start, flash.seek(0, 2) - start
sys.path[:] = ["", ".frozen"]
if "romfs" in rows and knows_romfs(flash, *rows["factory"]):
    offset, size = rows["romfs"]
    flash.seek(offset)
    try:
        vfs.mount(vfs.VfsRom(flash.read(size)), "/rom")
        sys.path.extend(["/rom", "/rom/lib"])
    except OSError:
        pass  # no image there: the port goes on without a word
sys.path.extend([ROOT + "/lib", chip_modules])
device = Partition(flash, *rows["vfs"])
try:
    vfs.mount(vfs.VfsLfs2(device, readsize=32, progsize=32, lookahead=32), ROOT)
    os.chdir(ROOT)
except OSError:
    print("The filesystem appears to be corrupted.")


class RawPartition:
    """esp32.Partition of this flash: `phy_init`, a sector of its own."""

    @staticmethod
    def find(type=1, subtype=0xFF, label=None, block_size=BLOCK):
        return [Partition(flash, 0xF000, BLOCK)] if label == "phy_init" else []


virtual_flash = __import__("flash")
virtual_flash.power_on = lambda size: None  # `machine` would mount a flash of its own
try:
    import esp32
    import machine

    esp32.Partition = RawPartition
    machine.unique_id = lambda: bytes(int(part, 16) for part in mac.split(":"))
except OSError:
    pass  # no unit's files on the flash: the virtual chip reads its pin map from there
for script in ("boot.py", "main.py") if mode == "main" else ("boot.py",):
    try:
        source = open(script).read()
    except OSError:
        continue
    try:
        exec(source, {"__name__": "__main__"})
    except (Exception, KeyboardInterrupt) as error:
        sys.print_exception(error)
