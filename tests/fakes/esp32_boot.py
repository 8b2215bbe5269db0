# ruff: noqa: PTH123, SIM115, S102 - MicroPython has no pathlib, and running main.py is the point
# Runs under real MicroPython (unix port): what an ESP32 does from reset to the REPL, from the very
# flash that esptool wrote. The chip's own modules (machine, network, esp32) are firmware/virtual.
# Arguments: the flash file, the folder of the virtual modules, the MAC, and "main" or "raw" (a soft
# reset inside the raw REPL runs boot.py but not main.py).
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


def free_after_last_partition(flash):
    """Where MicroPython 1.26 and newer put `vfs`; None where the boot loader would not start."""
    flash.seek(0x1000)
    starts = flash.read(1) == b"\xe9"
    end = 0
    flash.seek(TABLE)
    while True:
        row = flash.read(32)
        if row[:2] != b"\xaa\x50":
            break
        offset, size = struct.unpack_from("<II", row, 4)
        end = max(end, offset + size)
    return end if starts and end else None


flash = open(flash_path, "r+b")  # stays open when the host's files are unmounted below
start = free_after_last_partition(flash)
if start is None:
    print("invalid header: 0xffffffff")
    while True:
        sys.stdin.read(1)
size = flash.seek(0, 2) - start
device = Partition(flash, start, size)
sys.path[:] = ["", ".frozen", ROOT + "/lib", chip_modules]
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
except (ImportError, OSError):
    pass  # no unit's program on the flash: the virtual chip reads its pin map from there
for script in ("boot.py", "main.py") if mode == "main" else ("boot.py",):
    try:
        source = open(script).read()
    except OSError:
        continue
    try:
        exec(source, {"__name__": "__main__"})
    except (Exception, KeyboardInterrupt) as error:
        sys.print_exception(error)
