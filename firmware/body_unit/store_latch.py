"""The open SOS in a raw flash sector: written without an erase, so within a millisecond.

    slot   length u8 | value, up to 64 bytes | crc32 u32      blank (all 0xFF): not used yet

Slots are filled in order and the last whole one counts, so a cut in the middle of a write leaves
the value before it. The sector is erased only when the SOS is over (`write(b"")`) and half of it
is used: 45 ms that nobody waits for, and room for 28 changes of one SOS at least.
"""

from binascii import crc32

LONGEST = 64
_SLOT = 1 + LONGEST + 4
_ERASE_BLOCK = 6  # MicroPython's ioctl of a block device


class Latch:
    """`value` is what is latched, b"" for nothing.

    `sector` is an esp32.Partition or anything like it: readblocks and writeblocks with an offset
    (writing then only clears bits), ioctl 6 to erase. Its block 0 of `size` bytes is ours alone.
    """

    def __init__(self, sector, size=4096):
        self._sector = sector
        self._slots = size // _SLOT
        self._slot = bytearray(_SLOT)
        self.value = b""
        self._used = 0
        while self._used < self._slots and self._read(self._used):
            self._used += 1

    def _read(self, n):
        """False when slot n is blank; otherwise the value is taken from it if it is whole."""
        slot = self._slot
        self._sector.readblocks(0, slot, n * _SLOT)
        if max(slot) == 0xFF and min(slot) == 0xFF:
            return False
        if slot[0] <= LONGEST and slot[-4:] == _crc(slot):
            self.value = bytes(slot[1 : 1 + slot[0]])
        return True

    def write(self, value):
        """Latch `value`. False when the sector is full: then the value before it stands."""
        if len(value) > LONGEST:
            raise ValueError("latch: %d bytes, over %d" % (len(value), LONGEST))
        slot = self._slot
        slot[0] = len(value)
        slot[1:-4] = value + b"\x00" * (LONGEST - len(value))
        slot[-4:] = _crc(slot)
        room = self._used < self._slots
        if room:
            self._sector.writeblocks(0, slot, self._used * _SLOT)
            self._used += 1
            self.value = bytes(value)
        if not value and self._used > self._slots // 2:
            self._sector.ioctl(_ERASE_BLOCK, 0)
            self._used = 0
            self.value = b""
            room = True
        return room


def _crc(slot):
    return crc32(slot[:-4]).to_bytes(4, "little")
