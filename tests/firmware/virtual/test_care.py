"""Every task reports in or the watchdog bites, rung 3: each is hung once, and once none."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.fakes.county import County
from tests.fakes.modem import Modem
from tests.fakes.unit_process import ROOT, UnitProcess

HUNG = ROOT / "tests/bench/on_unit/hung.py"


@pytest.fixture
def county(tmp_path: Path):
    with County(tmp_path / "county", tls=False) as county:
        yield county


@pytest.mark.parametrize("task", ["gps", "wifi", "lte", "line wifi"])
def test_a_task_that_hangs_is_bitten(county: County, tmp_path: Path, task: str) -> None:
    unit = UnitProcess(tmp_path / "unit", script=HUNG, environment={"PATROL_HANGS": task})
    county.equip(unit)
    unit.lte("cmnet", "county")
    unit.start()
    try:
        assert unit.wait_exit(20) == -signal.SIGKILL
    finally:
        unit.stop()


def test_while_none_hangs_it_lives_through_every_link(county: County, tmp_path: Path) -> None:
    unit = UnitProcess(tmp_path / "unit", script=HUNG)
    county.equip(unit)
    unit.lte("cmnet", "county")
    with Modem(unit):
        unit.start()
        unit.charger(False)
        county.wait(lambda c: [s for s in c.of("unit_state") if s["link"] == "lte"], 90)
        began = time.monotonic()  # longer than the watchdog's patience on each link
        county.wait(lambda _: time.monotonic() - began > 10 or not unit.running(), 12)
        unit.in_range("COUNTY", "password")
        county.wait(lambda c: [s for s in c.of("unit_state") if s["link"] == "wifi"], 30)
        county.wait(lambda _: time.monotonic() - began > 25 or not unit.running(), 30)
        assert unit.running(), unit.console()
        unit.stop()
    assert len({state["boot"] for state in county.of("unit_state")}) == 1
