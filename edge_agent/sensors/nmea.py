"""kind = "nmea": the checkpoint's own receiver. 设卡 actions move: this says where to, and when.

pynmea2 parses with check=True; the position is cut from the sentence's text, so it never passes
through a float (NMEA 0183: ddmm.mmmm). RMC alone gives place, date and time together; a sentence
that is void (status V, mode N) or empty is no reading, and the last one grows old.
"""

from __future__ import annotations

import asyncio
import math
import re
from datetime import datetime
from typing import Any, ClassVar, Literal

import pynmea2
from pydantic import Field

from edge_agent.buses import Buses
from edge_agent.buses.port import BusFault, PortGone
from edge_agent.clock import BUILT
from edge_agent.section import Slug
from edge_agent.sensors.reading import Emit, Fix, Reading
from edge_agent.sensors.section import SensorSection

SILENT_S = 10.0  # without one sentence that checks: wrong speed or no receiver
METRES_PER_1E7 = 0.0111195  # of latitude


class NmeaSection(SensorSection):
    """[[sensor]] kind = "nmea"."""

    hangs_on: ClassVar[tuple[str, ...]] = ("serial",)
    kind: Literal["nmea"]
    bus: Slug
    move_m: float = Field(30, ge=1, description="nearer than this it is the same place")

    @property
    def stale_s(self) -> float:
        return self.stale_after_s or 15.0

    @property
    def told_as(self) -> tuple[str, str]:
        return self.measures or "place", self.unit


def degrees7(text: str, hemisphere: str) -> int:
    """ "3114.8821", "N" -> 312480350 (1e-7 degree, half to even). Raises ValueError."""
    found = re.fullmatch(r"(\d{1,3})(\d\d)(?:\.(\d{1,9}))?", text)
    if found is None or hemisphere not in "NSEW":
        raise ValueError(f"no position: {text!r} {hemisphere!r}")
    degrees, minutes, fraction = int(found[1]), int(found[2]), found[3] or ""
    limit = 90 if hemisphere in "NS" else 180
    # Minutes in units of 1e-9, so that 60 of them divide into 1e-7 degree exactly once.
    nanominutes = minutes * 10**9 + int(fraction.ljust(9, "0"))
    value, rest = divmod(nanominutes, 6000)
    value += rest > 3000 or (rest == 3000 and value % 2 == 1)
    whole = degrees * 10**7 + value
    if minutes >= 60 or whole > limit * 10**7:
        raise ValueError(f"no position: {text!r}")
    return -whole if hemisphere in "SW" else whole


def decode(line: bytes) -> Fix | None:
    """One line -> a fix, or None where it holds none.

    Raises pynmea2.ParseError for what fails its checksum: from the last "$", because a receiver
    that starts up prints half lines.
    """
    text = line.decode("ascii", "replace")
    sentence: Any = pynmea2.parse(text[max(text.rfind("$"), 0) :], check=True)
    if getattr(sentence, "sentence_type", "") != "RMC" or sentence.status != "A":
        return None
    if getattr(sentence, "mode_indicator", "A") in ("N", "E", "M", "S"):
        return None  # no fix, dead reckoning, typed in, simulated
    try:
        at = datetime.strptime(
            f"{sentence.data[8]} {sentence.data[0][:6]} +0000", "%d%m%y %H%M%S %z"
        )
        return Fix(
            degrees7(sentence.lat, sentence.lat_dir),
            degrees7(sentence.lon, sentence.lon_dir),
            int(at.timestamp()),
        )
    except (ValueError, IndexError):
        return None


def metres(one: Fix, other: Fix) -> float:
    """Flat-earth distance; right to 1 % where it matters, below a few kilometres."""
    north = (one.lat7 - other.lat7) * METRES_PER_1E7
    east = (one.lon7 - other.lon7) * METRES_PER_1E7 * math.cos(math.radians(one.lat7 / 1e7))
    return math.hypot(north, east)


def shown(fix: Fix) -> str:
    """Degrees with seven places, from the integers."""

    def degrees(value: int) -> str:
        sign, value = "-" if value < 0 else "", abs(value)
        return f"{sign}{value // 10**7}.{value % 10**7:07d}"

    return f"{degrees(fix.lat7)},{degrees(fix.lon7)}"


async def run(section: NmeaSection, buses: Buses, emit: Emit) -> None:
    """Listen for ever; the place is told again only when it is another one."""
    place: Fix | None = None
    loop = asyncio.get_running_loop()
    heard_at = fixed_at = loop.time()
    gone = False

    def heard(item: bytes | BusFault | None) -> None:
        nonlocal place, heard_at, fixed_at, gone
        gone = isinstance(item, PortGone)
        if isinstance(item, BusFault):
            emit(Reading(problem=str(item)))
        elif item is None:
            emit(Reading())
            heard_at = fixed_at = loop.time()
        else:
            try:
                fix = decode(item)
            except pynmea2.ParseError:
                return
            heard_at = loop.time()
            if fix is None or fix.unix_s < BUILT:
                return  # before this program was built: a receiver's week rollover
            fixed_at = heard_at
            if place is None or metres(place, fix) >= section.move_m:
                place = fix
            emit(Reading(text=shown(place), fix=fix))

    stop = buses.serial(section.bus).listen(heard)
    try:
        while True:
            await asyncio.sleep(SILENT_S)
            now = loop.time()
            if not gone and now - heard_at >= SILENT_S:
                why = "没有 NMEA 数据，检查波特率 / no NMEA comes, check baud and cable"
                emit(Reading(problem=why))
            elif not gone and now - fixed_at >= section.stale_s:
                emit(Reading(problem="未定位，天线要见天 / no fix, the antenna must see the sky"))
    finally:
        stop()
