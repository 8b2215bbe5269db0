"""The checkpoint's outside: an RS-485 line, a radar, a camera that is put into a bay."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

from tests.fakes.modbus_slave import ModbusLine
from tests.fakes.serial_peer import SerialPeer

BARRIER, SMOKE, SUPPLY = 1, 2, 3  # slave addresses on the RS-485 line
RECORDINGS = (
    "DCAM_CAM001_000001_20260804_201500_NOR.mp4",
    "DCAM_CAM001_000001_20260804_203000_IMP.mp4",
    "DCAM_CAM001_000001_20260804_204500_NOR.mp4",
)


class Parts:
    """Real peers on ptys and a directory as bay 1; `folder` holds their links."""

    def __init__(self, folder: Path) -> None:
        self.rs485 = ModbusLine(
            folder / "ttyRS485",
            {
                BARRIER: {"discrete": {0: False}},
                SMOKE: {"discrete": {0: False}},
                SUPPLY: {"input": {0: 1243}},  # 12.43 V in steps of 10 mV
            },
            baud=9600,
            turnaround_s=0.004,
        )
        self.radar = SerialPeer(folder / "ttyRADAR")
        self.bay = folder / "bay-1"
        self.bay.mkdir()
        self._random = random.Random(20260804)

    def __enter__(self) -> Parts:
        self.rs485.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.rs485.__exit__()
        self.radar.__exit__()

    def barrier(self, is_open: bool) -> None:
        self.rs485.set(BARRIER, "discrete", 0, [is_open])

    def dock(self) -> dict[str, str]:
        """Put camera CAM001 with three recordings into bay 1; returns {name: SHA-256}.

        Made beside the bay and renamed into it: a camera does not appear file by file.
        """
        camera = self.bay.parent / "CAM001"
        videos = camera / "DCIM" / "100MEDIA"
        videos.mkdir(parents=True)
        digests: dict[str, str] = {}
        for n, name in enumerate(RECORDINGS, 1):
            content = self._random.randbytes(n * 700_000)
            (videos / name).write_bytes(content)
            digests[name] = hashlib.sha256(content).hexdigest()
        camera.rename(self.bay / camera.name)
        return digests
