"""The GPS path on both MicroPython builds, judged from outside. One JSON object, last line.

    gps  {fixes, matched, max_error_m, exceptions, wrong_accepts, mutated, wrong_positions,
          wrong_times, builds}
    bytes_per_sentence   heap bytes for one RMC with its GGA, 32 bits; _64: the same on 64

Fixes are those that gpsd found in real receiver logs (where LOGS, beside the repository, is there)
and those that generated routes claim; each build counts. `matched` lie within 0.1 m of the truth
for their millisecond of the day. A wrong accept is a fix for which the truth has another place or
none. The routes' truth never went through text; where gpsd is silent, pynmea2 is asked.
"""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pynmea2

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from tests.fakes import nmea_damage, routes  # noqa: E402
from tests.fakes.interpreters import BUILDS  # noqa: E402

LOGS = ROOT.parent / "shared/data/nmea"
START_S = 1795305300  # 2026-11-21 23:55 UTC: every route passes midnight
BUILD_S = 1262304000  # 2010: the logs are older than any firmware
TOLERANCE_M = 0.1
ROUTES = {"walk": routes.WALK, "motorbike": routes.MOTORBIKE, "alley": routes.ALLEY}
DAY_MS = 86_400_000
ON_UNIT = ROOT / "tests/bench/on_unit/gps_fixes.py"


@dataclass
class Case:
    """A stream, and for each millisecond of the day the places that are right."""

    name: str
    stream: bytes
    truth: dict[int, list[routes.Point]]
    times: dict[int, int] = field(default_factory=dict)  # ms of day -> Unix seconds


def log_case(path: Path) -> Case:
    stream = path.read_bytes()
    fixes = path.with_suffix("").with_suffix(".fixes.jsonl").read_text().splitlines()
    truth = {row["utc_ms_of_day"]: row["positions"] for row in map(json.loads, fixes)}
    return Case(path.stem, stream, truth)


def said_by_pynmea2(stream: bytes) -> dict[int, list[routes.Point]]:
    """Every valid position in a log, where another parser can read it."""
    found: dict[int, list[routes.Point]] = {}
    for line in stream.decode("ascii", "replace").splitlines():
        try:
            message = pynmea2.parse(line[line.rindex("$") :], check=True)
            if isinstance(message, (pynmea2.RMC, pynmea2.GGA)) and message.is_valid:
                t = message.timestamp
                ms = ((t.hour * 60 + t.minute) * 60 + t.second) * 1000 + t.microsecond // 1000
                found.setdefault(ms, []).append((message.latitude, message.longitude))
        except (ValueError, AttributeError, pynmea2.ParseError):
            continue
    return found


def route_case(name: str, seconds: int, seed: int) -> Case:
    truth: dict[int, list[routes.Point]] = {}
    times: dict[int, int] = {}
    out = []
    way = list(routes.VILLAGE)
    while sum(1 for _ in routes.walk(way, ROUTES[name].speed_ms)) < seconds:
        way += routes.VILLAGE[1:]
    talkers = ("GN", "BD", "GB", "GP")
    for claim, lines in routes.generate(
        way, START_S, ROUTES[name], seed, talkers[seed % 4], decimals=4 + seed % 3
    ):
        ms = claim.unix_s * 1000 % DAY_MS
        times[ms] = claim.unix_s
        if claim.claimed:
            truth[ms] = [claim.claimed]
        out += lines if seed % 2 else lines[::-1]
    return Case(name, "".join(out).encode(), truth, times)


def fuzz_case(count: int, seed: int) -> Case:
    """In each second one of the two sentences is damaged, the other is not; `count` in all."""
    dice = random.Random(seed)
    case = route_case("walk", count + 20, seed * 2 + 1)
    lines = case.stream.splitlines(keepends=True)
    for second in range(10, 10 + count):  # the receiver is known by then
        at = 2 * second + dice.randrange(2)
        lines[at] = nmea_damage.damage(lines[at], dice)
    return Case("fuzz", b"".join(lines), case.truth, case.times)


def run(build: str, stream: bytes) -> dict:
    """{"fixes": [[ms of day, lat7, lon7, unix_s or null], …], "exceptions": n} from the unit."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(stream)
        file.flush()
        done = subprocess.run(
            [BUILDS[build], "-X", "heapsize=400k", ON_UNIT, file.name, str(BUILD_S)],
            env={"MICROPYPATH": f"{ROOT}/firmware:{ROOT}/.venv-unit/lib-unit:.frozen"},
            capture_output=True,
            text=True,
            timeout=600,
        )
    if done.returncode:
        raise RuntimeError(done.stdout[-2000:] + done.stderr)
    *fixes, last = done.stdout.splitlines()
    return {"fixes": [json.loads(line) for line in fixes], **json.loads(last)}


def metres(a: routes.Point, b: routes.Point) -> float:
    shrink = math.cos(math.radians(a[0]))
    return routes.METRES_PER_DEGREE * math.hypot(a[0] - b[0], (a[1] - b[1]) * shrink)


def judge(case: Case, found: dict) -> dict:
    """Count one run against the truth."""
    out = {"fixes": len(case.truth), "matched": 0, "max_error_m": 0.0, "wrong_accepts": 0}
    out |= {"wrong_times": 0, "exceptions": found["exceptions"]}
    others = {} if case.times else said_by_pynmea2(case.stream)
    matched = set()
    for ms, lat7, lon7, unix_s in found["fixes"]:
        places = case.truth.get(ms % DAY_MS) or others.get(ms % DAY_MS) or []
        error = min((metres(p, (lat7 / 1e7, lon7 / 1e7)) for p in places), default=math.inf)
        if error > TOLERANCE_M:
            out["wrong_accepts"] += 1
            continue
        out["max_error_m"] = max(out["max_error_m"], error)
        if ms % DAY_MS in case.truth:
            matched.add(ms % DAY_MS)
        if case.times and unix_s is not None and unix_s != case.times[ms % DAY_MS]:
            out["wrong_times"] += 1
    out["matched"] = len(matched)
    return out


def measure(seconds: int = 3600, mutated: int = 10_000, builds: tuple[str, ...] = ("64", "32")):
    """The whole part of bench-unit; smaller numbers for the gate."""
    cases = [log_case(path) for path in sorted(LOGS.glob("*.log"))]
    cases += [route_case(name, seconds, seed) for seed, name in enumerate(ROUTES, 1)]
    fuzz = fuzz_case(mutated, 5)
    total: dict = {"fixes": 0, "matched": 0, "max_error_m": 0.0, "exceptions": 0}
    total |= {"wrong_accepts": 0, "wrong_times": 0}
    heap = {}
    per_case: dict = {}
    for build in builds:
        for case in cases:
            part = judge(case, run(build, case.stream))
            per_case[f"{case.name}/{build}"] = f"{part['matched']}/{part['fixes']}"
            for key in ("fixes", "matched", "exceptions", "wrong_accepts", "wrong_times"):
                total[key] += part[key]
            total["max_error_m"] = round(max(total["max_error_m"], part["max_error_m"]), 4)
        part = judge(fuzz, run(build, fuzz.stream))
        total["exceptions"] += part["exceptions"]
        total["wrong_times"] += part["wrong_times"]
        total["mutated"] = total.get("mutated", 0) + mutated
        total["wrong_positions"] = total.get("wrong_positions", 0) + part["wrong_accepts"]
        per_case[f"fuzz/{build}"] = f"{part['matched']}/{part['fixes']}"
        heap[build] = run(build, route_case("walk", 300, 1).stream)["bytes_per_pair"]
    total["cases"] = per_case
    return {
        "gps": total,
        "bytes_per_sentence": heap.get("32"),
        "bytes_per_sentence_64": heap.get("64"),
    }


if __name__ == "__main__":
    missing = [str(path) for path in BUILDS.values() if not path.exists()]
    if missing:
        sys.exit(f"{', '.join(missing)}: not there; run `make setup micropython32`")
    print(json.dumps(measure()))
