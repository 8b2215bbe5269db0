"""kind = "host": the Pi itself. Its supply and its SD card fail before anything else does.

Each row reads one file of the kernel (or asks one program) and returns 1e-3 unit; None where this
machine has no such thing, which is a fault of the sensor and said so.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field

from edge_agent.buses import Buses
from edge_agent.clock import kernel_synchronised
from edge_agent.section import FilePath
from edge_agent.sensors.poll import every
from edge_agent.sensors.reading import Emit, Reading
from edge_agent.sensors.section import PolledSection

What = Literal[
    "under_voltage", "temperature", "disk_free", "disk_errors", "disk_worn", "clock", "modem_signal"
]
MODEM_S = 10.0  # what mmcli may take


class HostSection(PolledSection):
    """[[sensor]] kind = "host"."""

    kind: Literal["host"]
    what: What
    path: FilePath = Field(Path("/"), description="for disk_free: a folder on that disk")
    every_s: float = Field(30, ge=0.02, le=3600)
    root: Path = Field(Path("/"), description="where sys and proc are; for tests")

    @property
    def told_as(self) -> tuple[str, str]:
        return self.measures or self.what, self.unit or SOURCES[self.what].unit


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text().split()[0], 0)
    except (OSError, ValueError, IndexError):
        return None


async def under_voltage(section: HostSection) -> int | None:
    """1 while the 5 V supply is below 4.63 V: the raspberrypi-hwmon driver's alarm (latched by the
    firmware for as long as it lasts)."""
    for chip in sorted(section.root.glob("sys/class/hwmon/hwmon*")):
        if (chip / "in0_lcrit_alarm").exists():
            alarm = _number(chip / "in0_lcrit_alarm")
            return None if alarm is None else 1000 * alarm
    return None


async def temperature(section: HostSection) -> int | None:
    """The processor's, in °C; throttled from 80."""
    return _number(section.root / "sys/class/thermal/thermal_zone0/temp")  # already 1e-3 °C


async def disk_free(section: HostSection) -> int | None:
    """Percent free for us of the disk that holds `path`."""
    try:
        disk = os.statvfs(section.path)
    except OSError:
        return None
    return 100_000 * disk.f_bavail // disk.f_blocks if disk.f_blocks else None


async def disk_errors(section: HostSection) -> int | None:
    """What ext4 has noted in the superblock since the disk was made: any is one too many."""
    counts = [_number(p) for p in sorted(section.root.glob("sys/fs/ext4/*/errors_count"))]
    known = [count for count in counts if count is not None]
    return 1000 * sum(known) if known else None


async def disk_worn(section: HostSection) -> int | None:
    """Percent of its writes that an eMMC says it has used, in steps of 10 (JESD84-B51,
    DEVICE_LIFE_TIME_EST). An SD card does not tell."""
    for path in sorted(section.root.glob("sys/block/mmcblk*/device/life_time")):
        try:
            worst = max(int(part, 16) for part in path.read_text().split())
        except (OSError, ValueError):
            return None
        return 10_000 * worst if 1 <= worst <= 11 else None
    return None


async def clock(_section: HostSection) -> int | None:
    """1 while somebody disciplines the kernel's clock."""
    return 1000 * kernel_synchronised()


async def modem_signal(_section: HostSection) -> int | None:
    """Percent, as ModemManager sees it."""
    try:
        asked = await asyncio.create_subprocess_exec(
            *("mmcli", "--modem=any", "--output-json"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return None
    try:
        async with asyncio.timeout(MODEM_S):
            told, _ = await asked.communicate()
        return 1000 * int(json.loads(told)["modem"]["generic"]["signal-quality"]["value"])
    except (TimeoutError, ValueError, KeyError, TypeError):
        return None
    finally:
        if asked.returncode is None:
            asked.kill()
            await asked.wait()


class Source(NamedTuple):
    read: Callable[[HostSection], Awaitable[int | None]]
    unit: str
    absent: str  # what to say where this machine has no such thing


SOURCES: dict[str, Source] = {
    "under_voltage": Source(under_voltage, "", "本机无欠压检测 / no raspberrypi-hwmon here"),
    "temperature": Source(temperature, "°C", "读不到温度 / no thermal_zone0 here"),
    "disk_free": Source(disk_free, "%", "没有这个目录 / no such folder, correct path"),
    "disk_errors": Source(disk_errors, "", "没有 ext4 分区 / no ext4 file system here"),
    "disk_worn": Source(disk_worn, "%", "存储卡不报告寿命 / this card does not tell its wear"),
    "clock": Source(clock, "", ""),
    "modem_signal": Source(modem_signal, "%", "没有模块或 mmcli / no modem, or no ModemManager"),
}


async def run(section: HostSection, _buses: Buses, emit: Emit) -> None:
    source = SOURCES[section.what]
    async for _ in every(section.every_s):
        value = await source.read(section)
        emit(Reading(problem=source.absent) if value is None else Reading(value))
