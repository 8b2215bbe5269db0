"""The flash chip of the board double: NOR, in a file, with faults at a given block."""

from __future__ import annotations

import mmap
import os
import signal
import struct
from pathlib import Path

from esp32_mock_bootloader import server


class NorFlash(server.FlashImage):
    """The flash chip: a file, so that it keeps what was written when the power goes."""

    def __init__(self, path: Path, fault: str, block: int) -> None:
        self._file = path.open("r+b")
        self.data = mmap.mmap(self._file.fileno(), 0)
        self._fault, self._fault_block, self._block = fault, block, 0
        self._decompressor = None
        self._defl_offset = self._plain_offset = 0

    def begin_defl(self, payload: bytes) -> None:
        size, _, _, offset = struct.unpack_from("<IIII", payload, 0)
        self.erase_region(offset & ~4095, (size + 4095) & ~4095)
        super().begin_defl(payload)

    def write_defl_block(self, payload: bytes) -> None:
        (length,) = struct.unpack_from("<I", payload, 0)
        data = bytearray(self._decompressor.decompress(payload[16 : 16 + length]))
        if self._block == self._fault_block:
            if self._fault == "unplug":
                os._exit(0)
            if self._fault == "stall":
                signal.pause()
            if self._fault == "flip" and data:
                data[len(data) // 2] ^= 0x40
        self._block += 1
        end = self._defl_offset + len(data)
        kept = int.from_bytes(self.data[self._defl_offset : end], "big")
        program = kept & int.from_bytes(data, "big")
        self.data[self._defl_offset : end] = program.to_bytes(len(data), "big")
        self._defl_offset = end
