"""From the end of the hold to latch and air, while a full backlog drains and GPS comes in.

Several units at once, each on a link of its own of 128 kbit/s, where the client's window (2 KB)
takes 0.13 s. The air is the moment the link has carried the SOS.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.fakes import routes
from tests.fakes.county import County
from tests.fakes.link import Link
from tests.fakes.unit_process import ROOT, UnitProcess

HOLD_MS = 1500
FINGER_S = 0.2  # between two holds: what is shorter is one press with a worn contact (gesture.py)
RATE = 16_000  # bytes a second
BACKLOG = 220  # records for each press: more than the link carries meanwhile
FILL = ROOT / "tests/bench/on_unit/fill.py"


def percentile(values: list[int], percent: int) -> int:
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, len(ranked) * percent // 100)]


class One:
    """One unit's share of the presses."""

    def __init__(self, folder: Path, county: County, number: int, count: int) -> None:
        self.latch_ms: list[int] = []
        self.air_ms: list[int] = []
        self.left = 0  # of the backlog, at the end
        self.path_erases = 0  # of the latch's own sector, or of NVS
        self.other_erases = (
            0  # the queue's: a hold has the flash to itself, so there should be none
        )
        self._county, self._count = county, count
        self.link = Link(county.broker.port, tap=True, rate=RATE)
        self._backlog = count * BACKLOG
        name = f"u-{number:04}"
        outage = {"PATROL_FILL": str(self._backlog), "PATROL_ERASE_MS": "0"}
        lay = UnitProcess(folder, name, environment=outage, script=FILL)
        county.equip(lay, self.link.port)
        lay.start()
        if lay.wait_exit(120):
            raise RuntimeError(lay.console())
        lay.stop()
        self.unit = UnitProcess(folder, name)

    def run(self) -> None:
        unit = self.unit
        with self.link:
            unit.in_range("COUNTY", "password")
            unit.start()
            unit.charger(False)
            self._county.wait(lambda _: unit.unit in str(list(self._county.consumer.states)), 20)
            route = routes.generate(routes.VILLAGE * 50, int(time.time()), routes.WALK)
            for _ in range(self._count):
                for _, (_, sentences) in zip(range(3), route, strict=False):
                    unit.feed("".join(sentences).encode())
                self._once()
            unit.stop()
            assert self.link.tap is not None
            self.left = self._backlog - self.link.tap.published

    def _once(self) -> None:
        unit, county, tap = self.unit, self._county, self.link.tap
        assert tap is not None
        known = {fields["id"] for _, fields in tap.sos}
        ended = unit.hold() + HOLD_MS

        def raised(_: County) -> tuple[int, dict[str, Any]] | None:
            return next((row for row in tap.sos if row[1]["id"] not in known), None)

        ms, fields = county.wait(raised, 10)
        # Both clocks drop their fractions: a latch may seem to come a millisecond early.
        latched = county.wait(lambda _: unit.latched(ended - 2), 5)[0]
        self.latch_ms.append(latched - ended)
        self.air_ms.append(ms - ended)
        erased = [where for ms, where in unit.erases(ended) if ms <= latched]
        self.path_erases += len([where for where in erased if where])
        self.other_erases += len([where for where in erased if not where])
        county.command(unit.unit, "sos_close", sos=fields["id"])
        county.wait(lambda _: unit.latched(latched + 1), 15)
        time.sleep(FINGER_S)


def measure(folder: Path, count: int = 300, units: int = 6) -> dict[str, Any]:
    """{"sos_latch_ms", "sos_air_ms": {p50, p99, n}, "sos_path_erases"}."""
    with County(folder / "county", tls=False) as county:
        ones = [One(folder / f"u{n}", county, n, -(-count // units)) for n in range(1, units + 1)]
        with ThreadPoolExecutor(units) as pool:
            list(pool.map(One.run, ones))
    found: dict[str, Any] = {}
    for key, values in (
        ("sos_latch_ms", [ms for one in ones for ms in one.latch_ms]),
        ("sos_air_ms", [ms for one in ones for ms in one.air_ms]),
    ):
        found[key] = {
            "p50": percentile(values, 50),
            "p99": percentile(values, 99),
            "n": len(values),
        }
    found["sos_path_erases"] = sum(one.path_erases for one in ones)
    found["sos_backlog_left"] = min(one.left for one in ones)
    found["sos_other_erases"] = sum(one.other_erases for one in ones)
    return found
