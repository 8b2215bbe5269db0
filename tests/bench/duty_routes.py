"""A shift as the receiver sees it, one claim a second: village walk, motorbike, standing post.

The way is tests.fakes.routes' geometry with rests between the rounds; the noise wanders (an
autoregressive walk), as multipath between houses does: white noise would be far too kind.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import NamedTuple

from tests.fakes import routes

METRES_PER_DEGREE = routes.METRES_PER_DEGREE


class Second(NamedTuple):
    """One second of a shift; real and claimed positions in 1e-7 degree."""

    at_s: int
    moving: bool
    real: tuple[int, int]
    claimed: tuple[int, int]
    speed_cms: int
    course_deg: int


class Kind(NamedTuple):
    """How a shift is spent: moving at speed_ms, then resting between the two times."""

    speed_ms: float
    rest_s: tuple[int, int]
    noise_m: float


# The squad's road: some 9 km of lanes and a highway between three villages.
ROAD = [
    (35.2381, 115.4802),
    (35.2460, 115.4818),
    (35.2511, 115.4961),
    (35.2498, 115.5102),
    (35.2407, 115.5150),
    (35.2296, 115.5047),
    (35.2302, 115.4881),
    (35.2381, 115.4802),
]
KINDS = {
    "walk": Kind(1.2, (300, 1500), 2.5),
    "motorbike": Kind(8.0, (120, 900), 2.0),
    "post": Kind(0.0, (0, 0), 3.0),
}


def shift(kind: str, seconds: int, seed: int) -> Iterator[Second]:
    """`seconds` of a shift, one a second. Same seed, same shift."""
    how, dice = KINDS[kind], random.Random(seed)
    drift = [0.0, 0.0]
    for at_s, (place, moving, course) in zip(range(seconds), _ways(kind, dice), strict=False):
        drift = [0.95 * d + dice.gauss(0, 0.31 * how.noise_m) for d in drift]
        shrink = math.cos(math.radians(place[0]))
        claimed = (
            place[0] + drift[0] / METRES_PER_DEGREE,
            place[1] + drift[1] / METRES_PER_DEGREE / shrink,
        )
        speed = max(0.0, (how.speed_ms if moving else 0.1) + dice.gauss(0, 0.15))
        yield Second(at_s, moving, _e7(place), _e7(claimed), int(speed * 100), int(course))


def _ways(kind: str, dice: random.Random) -> Iterator[tuple[routes.Point, bool, float]]:
    how = KINDS[kind]
    way = ROAD if kind == "motorbike" else routes.VILLAGE
    while True:
        for place, course in routes.walk(way, how.speed_ms) if how.speed_ms else ():
            yield place, True, course
        for _ in range(dice.randint(*how.rest_s) or 3600):
            yield way[0], False, 0.0


def _e7(place: routes.Point) -> tuple[int, int]:
    return round(place[0] * 1e7), round(place[1] * 1e7)


def metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Between two positions in 1e-7 degree."""
    shrink = math.cos(math.radians(a[0] / 1e7))
    return METRES_PER_DEGREE * math.hypot(a[0] - b[0], (a[1] - b[1]) * shrink) / 1e7
