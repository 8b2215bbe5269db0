"""A heap that is exhausted, really: the unit resets or reconnects, and no SOS is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.county import County
from tests.fakes.unit_process import RESET_EXIT, ROOT, UnitProcess

STARVED = ROOT / "tests/bench/on_unit/starved.py"


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[County]:
    with County(tmp_path_factory.mktemp("county"), tls=False) as county:
        yield county


def starved(county: County, folder: Path, where: str) -> UnitProcess:
    unit = UnitProcess(
        folder, unit=f"u-{where}", heap="600k", script=STARVED, environment={"PATROL_STARVE": where}
    )
    county.equip(unit)
    unit.in_range("COUNTY", "password")
    unit.start()
    county.wait(lambda c: of(c, unit, "unit_state"), 20)
    unit.charger(False)
    return unit


def of(county: County, unit: UnitProcess, name: str):
    return [f for _, n, who, f in county.received if n == name and who.get("U") == unit.unit]


def test_a_hold_that_finds_no_memory_is_an_sos_after_the_reset(
    county: County, tmp_path: Path
) -> None:
    unit = starved(county, tmp_path / "unit", "hold")
    try:
        county.wait(lambda c: of(c, unit, "unit_state")[-1]["on_duty"], 20)
        unit.hold()
        assert unit.wait_exit(20) == RESET_EXIT
        assert not of(county, unit, "unit_sos")
        unit.start()
        (first, *_) = county.wait(lambda c: of(c, unit, "unit_sos"), 20)
        assert (first["state"], first["note"]) == ("raised", "resumed")
    finally:
        unit.stop()


def test_a_connection_without_memory_is_made_anew(county: County, tmp_path: Path) -> None:
    unit = starved(county, tmp_path / "unit", "watch")
    try:
        county.wait(lambda c: len({f["session"] for f in of(c, unit, "unit_state")}) > 1, 30)
        unit.hold()
        county.wait(lambda c: of(c, unit, "unit_sos"), 30)
        assert unit.running()
    finally:
        unit.stop()


def test_a_unit_that_cannot_start_begins_again_and_stands_at_no_prompt(tmp_path: Path) -> None:
    unit = UnitProcess(tmp_path / "unit")
    unit.settings["brokers"] = 7
    unit.start()
    try:
        assert unit.wait_exit(20) == RESET_EXIT
    finally:
        unit.stop()
