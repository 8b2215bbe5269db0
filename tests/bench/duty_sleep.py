"""`wakeups_per_min`: a whole unit on duty that stands still on LTE, in real time (rung 3).

Counted are the ends of its light sleeps as the virtual hardware notes them; beside it how much of
the time it slept, and how late a command and a press (half a second of it is the wait for a second
one) come through a sleep. What the ESP32 and the modem draw meanwhile, and whether the modem rings
for data, only hardware shows (rung 6).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.fakes.county import County
from tests.fakes.modem import Modem
from tests.fakes.unit_process import ROOT, UnitProcess, now_ms

HASTY = ROOT / "tests/bench/on_unit/hasty.py"  # still after seconds: this is not about waiting
ONLINE_S, ASLEEP_S, ANSWER_S = 60, 60, 25


def measure(folder: Path, seconds: int) -> dict[str, Any]:
    """{wakeups_per_min, asleep_share, rollcall_ms, press_ms} over so many seconds of standing."""
    with County(folder / "county", tls=False) as county:
        unit = UnitProcess(folder / "unit", script=HASTY, environment={"PATROL_STILL_S": "3"})
        county.equip(unit)
        unit.lte("cmnet", "county")
        unit.feel([(0, 0, 1000)])
        with Modem(unit):
            unit.start()
            try:
                return _stand(unit, county, seconds)
            finally:
                unit.stop()
                if "Traceback" in unit.console():
                    raise RuntimeError(unit.console())


def _stand(unit: UnitProcess, county: County, seconds: int) -> dict[str, Any]:
    unit.charger(False)
    county.wait(lambda c: c.of("unit_state"), ONLINE_S)
    county.wait(lambda _: unit.asleep(), ASLEEP_S)
    began = now_ms()
    county.wait(lambda _: now_ms() - began >= 1000 * seconds, seconds + 5)
    naps = [(at, lasted) for at, lasted in unit.naps() if at + lasted > began]
    passed = now_ms() - began

    county.wait(lambda _: unit.asleep(), ASLEEP_S)
    asked = now_ms()
    county.command(unit.unit, "rollcall", within_s=60)
    county.wait(lambda c: c.of("unit_ack"), ANSWER_S)
    heard = now_ms() - asked
    county.wait(lambda _: unit.asleep(), ASLEEP_S)
    up = unit.press()
    county.wait(lambda c: c.of("unit_mark"), ANSWER_S)
    return {
        "wakeups_per_min": round(len(naps) * 60_000 / passed, 2),
        "asleep_share": round(min(passed, sum(lasted for _, lasted in naps)) / passed, 3),
        "rollcall_ms": heard,
        "press_ms": now_ms() - up,
    }
