"""An SOS of the whole unit at the worst moments, rung 3: latched, sent, and alive after a cut."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.county import County
from tests.fakes.unit_process import UnitProcess, now_ms

HOLD_MS = 1500
LATCHED_MS = 500  # on a machine that others keep busy; the bench holds it to 100
FILLER = """
import machine
try:
    with open("filler", "wb") as f:
        while True:
            f.write(b"x" * 4096)
            f.flush()
except OSError:
    pass
"""


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[County]:
    with County(tmp_path_factory.mktemp("county"), tls=False) as county:
        yield county


def make(county: County, folder: Path, name: str, **environment: str) -> UnitProcess:
    unit = UnitProcess(folder, unit=name, environment=environment)
    county.equip(unit)
    unit.in_range("COUNTY", "password")
    return unit


def sos_of(county: County, unit: UnitProcess) -> list[dict[str, Any]]:
    return [
        fields
        for _, name, who, fields in county.received
        if name == "unit_sos" and who["U"] == unit.unit
    ]


def put_away(unit: UnitProcess) -> None:
    unit.stop()
    assert "Traceback" not in unit.console(), unit.console()


def test_the_flash_is_full(county: County, tmp_path: Path) -> None:
    (tmp_path / "filler.py").write_text(FILLER)
    small = {"PATROL_FLASH_KB": "160"}  # and nothing that the unit may delete makes room
    lay = UnitProcess(
        tmp_path,
        "u-0001",
        environment={**small, "PATROL_ERASE_MS": "0"},
        script=tmp_path / "filler.py",
    )
    county.equip(lay)
    lay.start()
    assert lay.wait_exit(60) == 0
    lay.stop()
    unit = make(county, tmp_path, "u-0001", **small)
    unit.out_of_range("COUNTY")
    unit.start()
    unit.charger(False)
    county.wait(lambda _: unit.haptics(), 20)
    ended = unit.hold() + HOLD_MS
    assert county.wait(lambda _: unit.latched(ended - 2), 5)[0] - ended < LATCHED_MS
    unit.wait_felt(1, 5, ended - 2)
    unit.in_range("COUNTY", "password")
    raised = county.wait(lambda c: sos_of(c, unit), 20)[0]
    assert raised["state"] == "raised"
    assert "unit_sos" not in {name for _, _, name in unit.ledger()}  # it was full indeed
    unit.kill()
    unit.start()
    resumed = county.wait(lambda c: [f for f in sos_of(c, unit) if f["boot"] != raised["boot"]], 20)
    assert resumed[0]["id"] == raised["id"]
    put_away(unit)


@pytest.mark.parametrize("after_ms", [0, 30, 120, 400])
def test_the_power_goes_just_after_the_latch(county: County, tmp_path: Path, after_ms: int) -> None:
    unit = make(county, tmp_path, f"u-{2 if UnitProcess.flashed else 1}{after_ms:03}")
    unit.start()
    unit.charger(False)
    county.wait(lambda _: unit.haptics(), 20)
    unit.pin("button", 0)
    county.wait(lambda _: unit.latched(), 5)
    time.sleep(after_ms / 1000)
    unit.kill()
    unit.pin("button", 1)
    sent = sos_of(county, unit)
    unit.start()
    later = county.wait(lambda c: sos_of(c, unit)[len(sent) :], 20)
    assert {fields["id"] for fields in sos_of(county, unit)} == {later[0]["id"]}
    assert not sent or later[-1]["revision"] > sent[-1]["revision"]
    put_away(unit)


def test_a_finger_is_down_before_the_power_comes(county: County, tmp_path: Path) -> None:
    unit = make(county, tmp_path, "u-0003")
    unit.start()
    unit.charger(False)
    county.wait(lambda _: unit.haptics(), 20)
    unit.kill()
    unit.pin("button", 0)
    began = now_ms()
    unit.start()
    latched = county.wait(lambda _: unit.latched(began), 10)[0]
    unit.pin("button", 1)
    assert latched - began >= HOLD_MS
    assert county.wait(lambda c: sos_of(c, unit), 20)[0]["state"] == "raised"
    put_away(unit)


def test_ticks_wrap_in_the_middle_of_the_hold(county: County, tmp_path: Path) -> None:
    unit = make(county, tmp_path, "u-0004", PATROL_TICKS=str((1 << 30) - 3000))
    began = now_ms()
    unit.start()
    unit.charger(False)
    county.wait(lambda _: unit.haptics(), 20)
    time.sleep(max(0, began + 2300 - now_ms()) / 1000)  # the wrap comes 3 s after the start
    down = unit.hold(2.0)
    assert down < began + 3000 < down + HOLD_MS
    latched = county.wait(lambda _: unit.latched(), 5)[0]
    assert -50 < latched - down - HOLD_MS < LATCHED_MS
    county.wait(lambda c: [f for f in sos_of(c, unit) if f["revision"] > 1], 15)
    put_away(unit)


def test_the_first_sos_does_not_wait_for_its_turn_to_reconnect(
    county: County, tmp_path: Path
) -> None:
    unit = make(county, tmp_path, "u-0005")
    unit.settings["fleet"] = 180 * 3600  # an hour over which the fleet's reconnects are spread
    county.equip(unit, port=county.broker.port)
    county.broker.stop()
    unit.start()
    unit.charger(False)
    time.sleep(2)  # it has tried, and waits for its turn
    county.broker_back()
    unit.hold()
    county.wait(lambda c: sos_of(c, unit), 5)
    put_away(unit)


def test_a_name_that_nobody_knows_is_not_in_the_way(county: County, tmp_path: Path) -> None:
    unit = UnitProcess(tmp_path, "u-0006")
    unit.broker("county", "no-such-host.invalid", 8883)
    unit.wifi_known("COUNTY", "password", "county")
    unit.in_range("COUNTY", "password")
    unit.start()
    unit.charger(False)
    county.wait(lambda _: unit.haptics(), 20)
    time.sleep(1)  # a lookup takes five seconds: this is in the middle of one
    ended = unit.hold() + HOLD_MS
    assert county.wait(lambda _: unit.latched(ended - 2), 5)[0] - ended < LATCHED_MS
    unit.wait_felt(1, 2, ended - 2)
    put_away(unit)


def test_no_network_at_all_is_felt_within_3_s(county: County, tmp_path: Path) -> None:
    unit = make(county, tmp_path, "u-0007")
    unit.out_of_range("COUNTY")
    unit.start()
    unit.charger(False)
    county.wait(lambda _: unit.haptics(), 20)
    ended = unit.hold() + HOLD_MS
    raised = unit.wait_felt(1, 3, ended - 2)
    time.sleep(max(0, ended + 3400 - now_ms()) / 1000)
    assert [began for began, _ in unit.haptics(raised) if began - ended <= 3000]
    put_away(unit)
