"""`make bench-duty`: duty, rounds, commands, links and power over shifts, in <= 10 min.

One JSON object on the last line. A part that breaks is named in `broken` with its reason, and the
exit code is 1. A part's name as argument runs that part alone.

Rung 1: track, rounds, commands, falls, safe mode (the core on CPython) and the LTE driver in given
time. Rung 3: the heap, roaming, sleep and the modem's moods with whole units. The names in FULL,
set in the environment, make it shorter.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "firmware"), str(ROOT / "tests/firmware/body_unit")]

from unit_rig import NOW, Rig  # noqa: E402

from body_unit.health import SAFE_BOOTS  # noqa: E402
from body_unit.policy import lines  # noqa: E402
from body_unit.power import GPS_STILL_S  # noqa: E402
from tests.bench import (  # noqa: E402
    duty_commands,
    duty_falls,
    duty_modem,
    duty_roaming,
    duty_rounds,
    duty_sleep,
    duty_track,
    unit_heap,
    unit_modem,
)

# Rounds walked, a shift of 10 h, links changed, traces of each kind, two minutes of standing.
FULL = {"ROUNDS": 300, "SHIFT_S": 36_000, "SWITCHES": 52, "FALLS": 200, "STANDING_S": 120}


def core_wakes_per_min(minutes: int = 60) -> float:
    """Ticks and fixes that the core asks for while somebody stands still on duty."""
    rig = Rig(has=("charger", "accelerometer")).start()
    for _ in range(5):
        rig.fix(speed_cms=0)
        rig.run(60_000)
    if rig.gps != "still":
        raise RuntimeError("five minutes without a move, and the receiver runs on")
    rig.ticks, fixes = 0, 0
    for _ in range(minutes * 60 // GPS_STILL_S):
        rig.forget()
        rig.fix(speed_cms=0)
        fixes += 1
        rig.run(GPS_STILL_S * 1000)
        rig.do("press", 1)  # a sign of life: this is not about silence
    return round((rig.ticks + fixes) / minutes, 2)


def safe_mode_sos() -> bool:
    """Boots in a loop until safe mode, then an SOS there and back."""
    kept: dict[str, bytes] = {}
    for boot in range(SAFE_BOOTS):
        rig = Rig(kept, f"{boot + 1:016x}")
        rig.do("boot", "watchdog", NOW)
        rig.run(5000)
    rig.do("charger", False)
    rig.do("session", "county", True)
    rig.forget()
    rig.fix()
    rig.do("hold", rig.now)
    sos = rig.said("unit_sos")[0]
    rig.do("puback", rig.named("publish")[-1][1])
    rig.command("sos_ack", sos=sos["id"])
    signals = rig.felt() == ["raised", "someone_has_it", "help_is_coming"]
    return rig.core.health.safe and signals and "fix" in sos and not rig.said("unit_location")


def modem_faults(folder: Path) -> dict[str, Any]:
    """The driver in given time against many faults, and whole units in real time against some."""
    driver = duty_modem.measure()
    whole = unit_modem.measure(folder)["modem_faults"]
    return {
        "tried": driver["tried"] + whole["tried"],
        "recovered": driver["recovered"] + whole["recovered"],
        "driver": driver,
        "whole_unit": whole,
    }


def full(name: str) -> int:
    """A count of the full bench, or a smaller one from the environment."""
    return int(os.environ.get(name, FULL[name]))


def standing(folder: Path) -> dict[str, Any]:
    """The whole unit's wake-ups, and beside them what its core alone asks for."""
    found = duty_sleep.measure(folder, full("STANDING_S"))
    return {
        "wakeups_per_min": found.pop("wakeups_per_min"),
        "standing": {**found, "core_wakes_per_min": core_wakes_per_min()},
    }


Part = Callable[[Path], dict[str, Any]]
# These wait for whole units in real time, so they run side by side with the others …
WAITING: dict[str, Part] = {
    "roaming": lambda folder: {"roaming": duty_roaming.measure(folder, full("SWITCHES"))},
    "standing": standing,
}
# … which run one after the other.
WORKING: dict[str, Part] = {
    "track": lambda _: {"track": duty_track.measure(full("SHIFT_S"))},
    "rounds": lambda _: {"rounds": duty_rounds.measure(full("ROUNDS"))},
    "commands": lambda _: {"commands": duty_commands.measure()},
    "safe_mode": lambda _: {"safe_mode_sos": safe_mode_sos()},
    "falls": lambda _: {"falls": duty_falls.measure(full("FALLS"))},
    "modem": lambda folder: {"modem_faults": modem_faults(folder)},
}
# A patrol in the smallest heap, with a plan, has deadlines of its own, so it comes last and alone.
LAST: dict[str, Part] = {
    "heap": unit_heap.measure,
}
PARTS = {**WAITING, **WORKING, **LAST}


class Run:
    """What the parts found, and which of them broke."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.found: dict[str, Any] = {}
        self.broken: dict[str, str] = {}

    def part(self, name: str) -> None:
        began = time.monotonic()
        try:
            self.found |= PARTS[name](self._folder / name)
        except Exception as fault:  # whatever it is, the other parts are still measured
            self.broken[name] = f"{type(fault).__name__}: {fault}"[:500]
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)


def main() -> int:
    print("\n".join(lines()), file=sys.stderr)
    wanted = sys.argv[1:] or list(PARTS)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bench-duty-") as folder:
        run = Run(Path(folder))
        with ThreadPoolExecutor(len(WAITING)) as pool:
            waiting = [pool.submit(run.part, name) for name in wanted if name in WAITING]
            for name in wanted:
                if name in WORKING:
                    run.part(name)
            for one in waiting:
                one.result()
        for name in wanted:
            if name in LAST:
                run.part(name)
    found = run.found | ({"broken": run.broken} if run.broken else {})
    found["bench_s"] = round(time.monotonic() - began)
    print(json.dumps(found, ensure_ascii=False))
    return 1 if run.broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
