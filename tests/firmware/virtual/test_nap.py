"""Light sleep of the whole unit, rung 3: it sleeps while it stands on LTE; what must wakes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from body_unit import power
from tests.fakes.county import County
from tests.fakes.modem import Modem
from tests.fakes.unit_process import ROOT, UnitProcess, now_ms

HASTY = ROOT / "tests/bench/on_unit/hasty.py"
HOLD_MS = 1500
LATE_MS = 250


@pytest.fixture
def county(tmp_path: Path) -> Iterator[County]:
    with County(tmp_path / "county", tls=False) as county:
        yield county


@pytest.fixture
def unit(county: County, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[UnitProcess]:
    """On duty, standing still, online over LTE; the parameter is its longest sleep in s."""
    hurry = {"PATROL_STILL_S": "2", "PATROL_LTE_S": "1", "PATROL_NAP_S": str(request.param)}
    unit = UnitProcess(tmp_path / "unit", script=HASTY, environment=hurry)
    county.equip(unit)
    unit.lte("cmnet", "county")
    with Modem(unit):
        unit.start()
        unit.charger(False)
        county.wait(lambda c: c.of("unit_state"), 40)
        yield unit
        unit.stop()
    assert "Traceback" not in unit.console(), unit.console()


LONGEST_S, SHORT_S = power.NAP_LONGEST_MS // 1000, 3


@pytest.mark.parametrize("unit", [LONGEST_S], indirect=True)
def test_it_sleeps_and_the_ring_the_press_and_the_sos_wake_it(
    county: County, unit: UnitProcess
) -> None:
    county.wait(lambda _: unit.asleep(), 30)
    county.command(unit.unit, "rollcall", within_s=60)
    # less than a sleep: the modem's ring woke it
    county.wait(lambda c: c.of("unit_ack"), LONGEST_S / 4)

    county.wait(lambda _: unit.asleep(), 30)
    unit.press()
    county.wait(lambda c: c.of("unit_mark"), 5)

    county.wait(lambda _: unit.asleep(), 30)
    held = unit.hold() + HOLD_MS
    county.wait(lambda c: c.of("unit_sos"), 5)
    assert 0 <= unit.latched(held)[0] - held < LATE_MS
    county.wait(lambda c: len(c.of("unit_sos")) >= 3, 20)
    assert not unit.naps(held), "it slept during an SOS"


@pytest.mark.parametrize("unit", [SHORT_S], indirect=True)
def test_on_its_cradle_it_does_not_sleep(county: County, unit: UnitProcess) -> None:
    county.wait(lambda _: unit.asleep(), 30)
    unit.charger(True)  # a level, no wake-up: seen after this sleep
    put_back = now_ms()
    county.wait(
        lambda c: c.of("unit_state")[-1]["on_duty"] is False and not unit.asleep(), 5 * SHORT_S
    )
    told = now_ms()
    county.wait(lambda _: now_ms() > told + 4000, 5)  # longer than the receiver's turn
    assert unit.naps(put_back - 1000 * SHORT_S) and not unit.naps(told) and not unit.asleep()
