"""`rounds`: generated rounds with wandering noise and drop-outs, some points left out on purpose.

What truly happened is known from the real way, which the unit never sees. A visit is expected where
the way goes through a point's middle; decoys lie well beside it; left-out points lie on lanes that
this round does not take. An enter while the real way was never inside the radius is false; so are a
second enter for one stay and an enter without its leave. Each left-out point must be reported as
missing at the window's end, and no other.
"""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import dataclass

from unit_rig import NOW, Fix, Rig

from tests.bench.duty_routes import METRES_PER_DEGREE, metres
from tests.fakes import routes

RADIUS_M = 30
BESIDE_M = 120  # decoys: no nearer to the way than this
PASSES_MIDDLE_M = 8  # nearer to the middle than this is a visit
LEFT_M = 60  # farther out than the radius and this: truly left
HOWS = (routes.WALK, routes.MOTORBIKE, routes.ALLEY)


@dataclass
class Round:
    """A way through the village with its points: which it passes, which not."""

    way: list[routes.Point]
    passed: list[routes.Point]
    beside: list[routes.Point]


class Visits:
    """Real stays within `radius_m`; the next begins only after the point was truly left."""

    def __init__(self, radius_m: float) -> None:
        self._radius_m = radius_m
        self._inside: set[str] = set()
        self.count: dict[str, int] = {}

    def feed(self, name: str, away_m: float) -> None:
        if away_m < self._radius_m and name not in self._inside:
            self._inside.add(name)
            self.count[name] = self.count.get(name, 0) + 1
        elif away_m > RADIUS_M + LEFT_M:
            self._inside.discard(name)


def measure(count: int, seed: int = 1) -> dict[str, int]:
    """Sums over `count` rounds: generated, detected, false, missed, missed_reported, unreported."""
    dice = random.Random(seed)
    total = dict.fromkeys(
        ("generated", "detected", "false", "missed", "missed_reported", "unreported"), 0
    )
    for _ in range(count):
        for key, value in one(dice).items():
            total[key] += value
    return total


def make(dice: random.Random) -> Round:
    """Five to nine legs of 120 to 400 m with corners of up to 100 degrees."""
    lat, lon, heading = (
        35.2 + dice.uniform(0, 0.1),
        115.4 + dice.uniform(0, 0.1),
        dice.uniform(0, 7),
    )
    way = [(lat, lon)]
    for _ in range(dice.randint(5, 9)):
        heading += math.radians(dice.uniform(-100, 100))
        lat, lon = _off((lat, lon), heading, dice.uniform(150, 400))
        way.append((lat, lon))
    passed, beside = [], []
    for a, b in itertools.pairwise(way):
        middle = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
        if all(_apart(middle, other) > 3 * RADIUS_M for other in passed):
            passed.append(middle)
        decoy = _off(middle, dice.uniform(0, 7), dice.uniform(130, 300))
        if min(_apart(decoy, place) for place, _ in routes.walk(way, 5)) > BESIDE_M:
            beside.append(decoy)
    return Round(way, passed, beside)


def one(dice: random.Random) -> dict[str, int]:
    round_, how = make(dice), dice.choice(HOWS)
    points = [(f"p-{i}", place) for i, place in enumerate(round_.passed)]
    points += [(f"d-{i}", place) for i, place in enumerate(round_.beside)]
    dice.shuffle(points)
    until = NOW + 4 * 3600
    rig = Rig().start()
    rows = [
        {"id": name, "desc": name, "lat": _e7(at[0]), "lon": _e7(at[1]), "rad": RADIUS_M}
        for name, at in points
    ]
    rig.command("plan", points=[{**row, "until": until} for row in rows])
    start_ms, seed = rig.now, dice.randint(0, 1 << 30)
    expected, possible = Visits(PASSES_MIDDLE_M), Visits(RADIUS_M)
    for truth, _ in routes.generate(round_.way, NOW, how, seed):
        rig.now = start_ms + 1000 * (truth.unix_s - NOW)
        for name, at in points:
            expected.feed(name, _apart(truth.real, at))
            possible.feed(name, _apart(truth.real, at))
        if truth.claimed is None:
            rig.do("no_fix")
            continue
        lat, lon = truth.claimed
        rig.do(
            "fix",
            Fix(
                _e7(lat),
                _e7(lon),
                max(1, round(5 * how.hdop)),
                int(truth.speed_ms * 100),
                int(truth.course_deg),
                truth.unix_s,
                rig.now,
                1,
            ),
        )
    rig.do("charger", True)
    entered = _count(rig, "enter")
    left = _count(rig, "leave")
    rig.run((until - NOW) * 1000 - rig.now + start_ms + 2000)
    told = {
        a["why"].split(":")[0]
        for a in rig.said("unit_ack")
        if a["state"] == "closed" and "why" in a
    }
    missed = {name for name, _ in points if name not in possible.count}
    false = sum(max(0, n - possible.count.get(name, 0)) for name, n in entered.items())
    false += sum(abs(entered.get(name, 0) - left.get(name, 0)) for name in {*entered, *left})
    return {
        "generated": sum(expected.count.values()),
        "detected": sum(min(n, entered.get(name, 0)) for name, n in expected.count.items()),
        "false": false + len((told - missed) & set(expected.count)),
        "missed": len(missed),
        "missed_reported": len(missed & told),
        "unreported": len(missed - told),
    }


def _count(rig: Rig, event: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for said in rig.said("unit_transition"):
        if said["event"] == event:
            found[said["rid"]] = found.get(said["rid"], 0) + 1
    return found


def _off(place: routes.Point, heading: float, by_m: float) -> routes.Point:
    shrink = math.cos(math.radians(place[0]))
    north, east = by_m * math.cos(heading), by_m * math.sin(heading)
    return place[0] + north / METRES_PER_DEGREE, place[1] + east / METRES_PER_DEGREE / shrink


def _apart(a: routes.Point, b: routes.Point) -> float:
    return metres((a[0] * 1e7, a[1] * 1e7), (b[0] * 1e7, b[1] * 1e7))


def _e7(degrees: float) -> int:
    return round(degrees * 1e7)
