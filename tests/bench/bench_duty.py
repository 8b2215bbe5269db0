"""`make bench-duty`: duty, rounds, commands, links and power over shifts, in <= 10 min.

One JSON object on the last line. A part that breaks is named in `broken` with its reason, and the
exit code is 1. A part's name as argument runs that part alone.

Rung 1: track, rounds, commands, safe mode, wake-ups (the core on CPython) and the LTE driver in
given time. Rung 2: the core's heap, on real MicroPython. Rung 3: roaming and the modem's moods with
whole units. ROUNDS=n, SHIFT_S=n and SWITCHES=n make it shorter.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
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
    duty_heap,
    duty_modem,
    duty_roaming,
    duty_rounds,
    duty_track,
    unit_modem,
)

FULL = {"ROUNDS": 300, "SHIFT_S": 36_000, "SWITCHES": 52}  # rounds walked, 10 h, links changed


def wakeups_per_min(minutes: int = 60) -> float:
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


# key of the result -> how it is measured, in a folder of its own
PARTS: dict[str, Callable[[Path], Any]] = {
    "track": lambda _: duty_track.measure(full("SHIFT_S")),
    "rounds": lambda _: duty_rounds.measure(full("ROUNDS")),
    "commands": lambda _: duty_commands.measure(),
    "roaming": lambda folder: duty_roaming.measure(folder, full("SWITCHES")),
    "modem_faults": modem_faults,
    "safe_mode_sos": lambda _: safe_mode_sos(),
    "wakeups_per_min": lambda _: wakeups_per_min(),
    "heap_kb": lambda _: duty_heap.measure(),
}


def main() -> int:
    print("\n".join(lines()), file=sys.stderr)
    found: dict[str, Any] = {}
    broken: dict[str, str] = {}
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bench-duty-") as folder:
        for name in sys.argv[1:] or PARTS:
            part_began = time.monotonic()
            try:
                found[name] = PARTS[name](Path(folder) / name)
            except Exception as fault:  # whatever it is, the other parts are still measured
                broken[name] = f"{type(fault).__name__}: {fault}"[:500]
            print(f"{name}: {time.monotonic() - part_began:.0f} s", file=sys.stderr)
    if broken:
        found["broken"] = broken
    found["bench_s"] = round(time.monotonic() - began)
    print(json.dumps(found, ensure_ascii=False))
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
