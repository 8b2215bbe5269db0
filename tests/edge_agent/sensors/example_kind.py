"""The worked example of the README: a new kind is this file and one row in kinds.py.

    "w1": Kind(example_kind.W1Section, example_kind.run),

It reads a DS18B20 thermometer through the kernel's w1-gpio driver.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import Field

from edge_agent.buses import Buses
from edge_agent.sensors.poll import every
from edge_agent.sensors.reading import Emit, Reading
from edge_agent.sensors.section import PolledSection


class W1Section(PolledSection):  # 1. what a technician writes
    """[[sensor]] kind = "w1"."""

    kind: Literal["w1"]
    device: str = Field(pattern=r"^28-[0-9a-f]{12}$", description="as in /sys/bus/w1/devices")
    root: Path = Path("/sys/bus/w1/devices")


def decode(text: str) -> int | None:  # 2. pure: what the wire says -> 1e-3 unit
    """The driver's two lines -> 1e-3 °C; None if its CRC failed."""
    found = re.search(r"YES\n.*t=(-?\d+)", text)
    return int(found[1]) if found else None


async def run(section: W1Section, _buses: Buses, emit: Emit) -> None:  # 3. for ever
    async for _ in every(section.every_s):
        try:
            value = decode((section.root / section.device / "w1_slave").read_text())
        except OSError:
            emit(Reading(problem="找不到传感器 / no such device, see /sys/bus/w1/devices"))
            continue
        emit(Reading(value) if value is not None else Reading(problem="校验错误 / CRC, check wire"))
