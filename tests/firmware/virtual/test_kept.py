"""What outlives a reboot in the whole unit, rung 3: networks, a long plan, the log."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import routes
from tests.fakes.county import County
from tests.fakes.unit_process import ROOT, UnitProcess

SHOW_LOG = ROOT / "tests/bench/on_unit/show_log.py"


@pytest.fixture
def county(tmp_path: Path) -> Iterator[County]:
    with County(tmp_path / "county", tls=False) as county:
        yield county


@pytest.fixture
def unit(county: County, tmp_path: Path) -> Iterator[UnitProcess]:
    """On, online and with a clock."""
    unit = UnitProcess(tmp_path / "unit")
    county.equip(unit)
    unit.in_range("COUNTY", "password")
    unit.start()
    county.wait(lambda c: c.of("unit_state"), 20)
    yield unit
    unit.stop()


def set_clock(county: County, unit: UnitProcess) -> None:
    route = routes.generate(routes.VILLAGE, start_s=int(time.time()), how=routes.WALK)
    unit.charger(False)
    for _, (_, sentences) in zip(range(8), route, strict=False):
        unit.feed("".join(sentences).encode())
    county.wait(lambda c: c.of("unit_location"), 20)


def accepted(county: County, order: str) -> bool:
    return any(a["id"] == order and a["state"] == "accepted" for a in county.of("unit_ack"))


def boots(county: County) -> int:
    return len({state["boot"] for state in county.of("unit_state")})


def test_networks_and_a_long_plan_outlive_a_power_cut(county: County, unit: UnitProcess) -> None:
    set_clock(county, unit)
    points = [
        {"id": f"p-{n}", "desc": "巡逻点 " * 6, "lat": 352381100 + n, "lon": 1154802000, "rad": 20}
        for n in range(32)
    ]
    plan = county.command(unit.unit, "plan", points=points)
    county.wait(lambda c: accepted(c, plan), 10)
    refused = county.command(unit.unit, "wifi", networks=[])  # no LTE was ever set up here
    county.wait(
        lambda c: [a for a in c.of("unit_ack") if a["id"] == refused and a["state"] == "refused"],
        10,
    )
    sent = [{"ssid": "NEW", "psk": "password"}]
    order = county.command(unit.unit, "wifi", networks=sent)
    county.wait(lambda c: accepted(c, order), 10)
    unit.in_range("NEW", "password")
    before = boots(county)
    unit.kill()
    unit.out_of_range("COUNTY")
    unit.start()
    county.wait(lambda c: boots(c) > before, 30)  # over the network that it was told of
    unit.charger(True)  # the shift ends: every point of the plan is missing, and named
    missing = county.wait(
        lambda c: {a.get("why") for a in c.of("unit_ack") if a["state"] == "closed"}, 20
    )
    county.wait(lambda c: len([a for a in c.of("unit_ack") if a["state"] == "closed"]) == 32, 20)
    assert missing


def test_a_technician_reads_the_last_hour(county: County, unit: UnitProcess) -> None:
    county.publish(f"patrol/v1/c371500/{unit.unit}/cmd", b"{}")
    order = county.command(unit.unit, "wifi", networks=[{"ssid": "X", "psk": "secret-word"}])
    county.wait(lambda c: [a for a in c.of("unit_ack") if a["id"] == order], 10)  # after the first
    os.kill(unit.pid, signal.SIGINT)
    assert unit.wait_exit(10) == 0
    shown = UnitProcess(unit.folder, script=SHOW_LOG)
    try:
        shown.start()
        shown.wait_exit(10)
    finally:
        shown.stop()
    assert "malformed unit_cmd: " in shown.console(), shown.console()
    assert "secret-word" not in shown.console()
