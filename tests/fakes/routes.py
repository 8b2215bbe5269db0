"""Generated NMEA: what a receiver says each second while somebody follows a list of waypoints.

    for truth, sentences in routes.generate(routes.VILLAGE, start_s=1795280400, how=routes.WALK):
        uart.write("".join(sentences).encode())

`truth` is where the walker is and what the sentences claim, kept apart from them, so that a parser
is checked against numbers that never went through text. Pure: same seed, same route.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pynmea2

METRES_PER_DEGREE = 111_320.0
Point = tuple[float, float]  # WGS-84 degrees, latitude first

# A made-up village in Shandong, some 900 m once round: brigade, shop, alley, bridge, school.
VILLAGE: list[Point] = [
    (35.238110, 115.480200),
    (35.238150, 115.482310),
    (35.239420, 115.482360),
    (35.239460, 115.481050),
    (35.240310, 115.481020),
    (35.240280, 115.480120),
    (35.238110, 115.480200),
]


@dataclass(frozen=True)
class How:
    """A way of moving, and how well the receiver hears while doing so."""

    speed_ms: float
    noise_m: float  # of the claimed position, slowly wandering
    hdop: float
    sees_s: tuple[int, int]  # stretches with a fix, shortest and longest
    blind_s: tuple[int, int]  # stretches without; (0, 0): never


WALK = How(1.3, 1.5, 0.9, (3600, 3600), (0, 0))
MOTORBIKE = How(9.0, 1.0, 0.8, (3600, 3600), (0, 0))
ALLEY = How(1.1, 6.0, 3.4, (8, 45), (3, 30))  # at night between walls: half the sky is missing


@dataclass(frozen=True)
class Truth:
    """One second. `claimed` is what the sentences say, exactly, or None while there is no fix."""

    unix_s: int
    real: Point
    claimed: Point | None
    speed_ms: float
    course_deg: float


def walk(waypoints: Sequence[Point], speed_ms: float) -> Iterator[tuple[Point, float]]:
    """Each second's place and course, along straight legs; ends at the last waypoint."""
    left = 0.0
    for (lat, lon), (to_lat, to_lon) in itertools.pairwise(waypoints):
        shrink = math.cos(math.radians(lat))
        north = (to_lat - lat) * METRES_PER_DEGREE
        east = (to_lon - lon) * METRES_PER_DEGREE * shrink
        length = math.hypot(north, east)
        course = math.degrees(math.atan2(east, north)) % 360
        while left < length:
            part = left / length
            yield (lat + (to_lat - lat) * part, lon + (to_lon - lon) * part), course
            left += speed_ms
        left -= length


def generate(
    waypoints: Sequence[Point],
    start_s: int,
    how: How = WALK,
    seed: int = 0,
    talker: str = "GN",
    decimals: int = 5,
) -> Iterator[tuple[Truth, list[str]]]:
    """(truth, [RMC, GGA], each with CR LF) for every second from Unix time `start_s` on.

    `decimals` of the minute: 4 for old modules, 5 for most.
    """
    dice = random.Random(seed)
    drift = [0.0, 0.0]  # metres north, east; a random walk that is pulled back to zero
    left, sees = dice.randint(*how.sees_s), True
    for second, (real, course) in enumerate(walk(waypoints, how.speed_ms)):
        if left == 0:
            sees = not sees or how.blind_s == (0, 0)
            left = dice.randint(*(how.sees_s if sees else how.blind_s))
        left -= 1
        drift = [0.95 * d + dice.gauss(0, 0.3 * how.noise_m) for d in drift]
        claimed: Point | None = None
        lat = lon = ("", "")
        if sees:
            shrink = math.cos(math.radians(real[0]))
            claimed_lat, lat = _field(real[0] + drift[0] / METRES_PER_DEGREE, 2, "NS", decimals)
            claimed_lon, lon = _field(
                real[1] + drift[1] / METRES_PER_DEGREE / shrink, 3, "EW", decimals
            )
            claimed = (claimed_lat, claimed_lon)
        truth = Truth(start_s + second, real, claimed, how.speed_ms, course)
        hdop = f"{how.hdop * dice.uniform(0.8, 1.3):.2f}" if sees else "99.99"
        yield truth, sentences(truth, lat, lon, hdop, talker)


def sentences(
    truth: Truth, lat: tuple[str, str], lon: tuple[str, str], hdop: str, talker: str
) -> list[str]:
    """RMC and GGA of one second; `lat` and `lon` are (digits, hemisphere), empty without a fix."""
    now = datetime.fromtimestamp(truth.unix_s, UTC)
    time, date = now.strftime("%H%M%S.000"), now.strftime("%d%m%y")
    good = truth.claimed is not None
    moving = (f"{truth.speed_ms / 0.514444:.2f}", f"{truth.course_deg:.2f}") if good else ("", "")
    rmc = (time, "A" if good else "V", *lat, *lon, *moving, date, "", "", "A" if good else "N")
    sats = ("1", "09", hdop, "61.2", "M", "-8.1", "M", "", "") if good else ("0", "00", hdop)
    sats += ("",) * (9 - len(sats))
    gga = (time, *lat, *lon, *sats)
    return [f"{pynmea2.RMC(talker, 'RMC', rmc)}\r\n", f"{pynmea2.GGA(talker, 'GGA', gga)}\r\n"]


def _field(degrees: float, width: int, signs: str, decimals: int) -> tuple[float, tuple[str, str]]:
    """Round to what the text can say: (those degrees, (digits, hemisphere))."""
    unit = 60 * 10**decimals
    whole = round(abs(degrees) * unit)
    degree, minutes = divmod(whole, unit)
    digits = f"{minutes:0{decimals + 2}d}"
    text = f"{degree:0{width}d}{digits[:-decimals]}.{digits[-decimals:]}"
    sign = -1 if degrees < 0 else 1
    return sign * whole / unit, (text, signs[degrees < 0])
