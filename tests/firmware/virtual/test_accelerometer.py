"""The accelerometer in the whole unit, rung 3: a fall becomes an SOS, its failure stops nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "body_unit"))
from motion_traces import FALLS, UPRIGHT, Dice

from tests.fakes.county import County
from tests.fakes.modem import Modem
from tests.fakes.unit_process import ROOT, UnitProcess

HURRY = {"PATROL_STILL_S": "3", "PATROL_WARN_S": "2", "PATROL_LTE_S": "1", "PATROL_NAP_S": "5"}
HASTY = ROOT / "tests/bench/on_unit/hasty.py"


@pytest.fixture
def county(tmp_path: Path) -> Iterator[County]:
    with County(tmp_path / "county", tls=False) as county:
        yield county


@pytest.fixture
def unit(county: County, tmp_path: Path) -> Iterator[UnitProcess]:
    """Off; worn upright."""
    unit = UnitProcess(tmp_path / "unit", script=HASTY, environment=HURRY)
    county.equip(unit)
    unit.feel([UPRIGHT])
    yield unit
    unit.stop()
    assert "Traceback" not in unit.console(), unit.console()


def test_a_fall_while_the_cpu_sleeps_is_felt_and_calls(county: County, unit: UnitProcess) -> None:
    unit.lte("cmnet", "county")
    with Modem(unit):
        unit.start()
        unit.charger(False)
        state = county.wait(lambda c: c.of("unit_state"), 40)[-1]
        assert "accelerometer" in state["has"]
        county.wait(lambda _: unit.asleep(), 60)
        unit.feel(FALLS[0](Dice(1)))
        # ten seconds prove the stillness, then comes the pre-alarm
        (raised,) = county.wait(lambda c: c.of("unit_sos")[:1], 60)
    assert (raised["kind"], raised["state"]) == ("fall", "raised")


def test_its_failure_stops_nothing_and_is_told(county: County, unit: UnitProcess) -> None:
    unit.in_range("COUNTY", "password")
    unit.start()
    unit.charger(False)
    county.wait(lambda c: c.of("unit_state"), 20)
    unit.feel(mood="nack")
    county.wait(
        lambda c: [h for h in c.of("unit_health") if h.get("fault") == "accelerometer silent"], 10
    )
    unit.hold()
    county.wait(lambda c: c.of("unit_sos"), 10)
