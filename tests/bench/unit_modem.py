"""The modem's moods: does a unit with nothing but LTE get through each, and send its SMS?

`modem_faults` {tried, recovered, failed, slowest_s} for bench-duty.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.fakes.county import County
from tests.fakes.modem import MOODS, Modem
from tests.fakes.unit_process import UnitProcess

LONGEST_S = 90


def recovery_s(folder: Path, county: County, number: int, mood: str) -> float | None:
    """Seconds from power-on to the birth over LTE; None when it never came."""
    unit = UnitProcess(folder, unit=f"u-{number:04}")
    county.equip(unit)
    unit.lte("cmnet", "county")
    began = time.monotonic()
    with Modem(unit, {mood} if mood else set()):
        unit.start()
        try:
            county.wait(lambda c: _births(c, unit) >= (2 if mood == "lost" else 1), LONGEST_S)
        except TimeoutError:
            return None
        finally:
            unit.stop()
            if "Traceback" in unit.console():
                raise RuntimeError(unit.console())
    return time.monotonic() - began


def _births(county: County, unit: UnitProcess) -> int:
    """How many sessions the unit has had over LTE."""
    state = county.consumer.states.get(f"patrol/v1/c371500/{unit.unit}/state")
    online = state and state["online"] and state.get("link") == "lte"
    return int(state["session"]) if state and online else 0


def measure(folder: Path, moods: list[str] | None = None) -> dict[str, Any]:
    """Four units at a time."""
    moods = list(MOODS) if moods is None else moods
    with County(folder / "county", tls=False) as county, ThreadPoolExecutor(4) as pool:
        times = list(
            pool.map(
                lambda row: recovery_s(folder / row[1], county, row[0], row[1]),
                enumerate(moods, 1),
            )
        )
    good = [seconds for seconds in times if seconds is not None]
    slowest = round(max(good), 1) if good else None
    failed = [mood for mood, seconds in zip(moods, times, strict=True) if seconds is None]
    found = {"tried": len(moods), "recovered": len(good), "failed": failed, "slowest_s": slowest}
    return {"modem_faults": found}
