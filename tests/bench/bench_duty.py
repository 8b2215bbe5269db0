"""`make bench-duty`: what the pure core does with a shift (issue 4). One JSON object, last line.

Rung 1: track, rounds, commands, safe mode, wake-ups (the core on CPython) and the LTE driver in
given time. Rung 2: the core's heap, on real MicroPython. Rung 3: roaming and the modem's moods with
whole units. ROUNDS=n, SHIFT_S=n and SWITCHES=n make it shorter.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
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


def in_a_folder(part: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="bench-duty-") as folder:
        return part(Path(folder))


def modem_faults() -> dict[str, Any]:
    """The driver in given time against many faults, and whole units in real time against some."""
    driver = duty_modem.measure()
    whole = in_a_folder(unit_modem.measure)["modem_faults"]
    return {
        "tried": driver["tried"] + whole["tried"],
        "recovered": driver["recovered"] + whole["recovered"],
        "driver": driver,
        "whole_unit": whole,
    }


def measure(rounds: int, shift_s: int, switches: int) -> dict[str, Any]:
    return {
        "track": duty_track.measure(shift_s),
        "rounds": duty_rounds.measure(rounds),
        "commands": duty_commands.measure(),
        "safe_mode_sos": safe_mode_sos(),
        "wakeups_per_min": wakeups_per_min(),
        "roaming": in_a_folder(lambda folder: duty_roaming.measure(folder, switches)),
        "modem_faults": modem_faults(),
        "heap_kb": duty_heap.measure(),
        "shift_s": shift_s,
    }


if __name__ == "__main__":
    print("\n".join(lines()))
    found = measure(*(int(os.environ.get(name, full)) for name, full in FULL.items()))
    print(json.dumps(found, ensure_ascii=False))
