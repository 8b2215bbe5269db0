"""The whole unit, rung 3: main.py under MicroPython, real TLS to a real mosquitto."""

from __future__ import annotations

import itertools
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flashing import certs
from tests.fakes import routes
from tests.fakes.county import County
from tests.fakes.link import Link
from tests.fakes.unit_process import RESET_EXIT, ROOT, UnitProcess, now_ms

BROKEN = ROOT / "tests/bench/on_unit/broken.py"
HOLD_MS = 1500
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[County]:
    with County(tmp_path_factory.mktemp("county")) as county:
        yield county


@pytest.fixture
def unit(county: County, tmp_path: Path) -> Iterator[UnitProcess]:
    """Off, with everything flashed, its Wi-Fi in range."""
    unit = UnitProcess(tmp_path / "unit", unit=f"u-{next(NUMBERS):04}")
    county.equip(unit)
    unit.in_range("COUNTY", "password")
    yield unit
    unit.stop()
    assert "Traceback" not in unit.console(), unit.console()


def mine(county: County, unit: UnitProcess, name: str):
    return [f for _, of, who, f in county.received if of == name and who.get("U") == unit.unit]


def test_it_walks_calls_is_answered_and_survives_a_power_cut(
    county: County, unit: UnitProcess
) -> None:
    unit.start()
    county.wait(lambda c: mine(c, unit, "unit_state"), 15)
    unit.charger(False)
    route = routes.generate(routes.VILLAGE, start_s=int(time.time()), how=routes.MOTORBIKE)
    for _, (_, sentences) in zip(range(60), route, strict=False):
        unit.feed("".join(sentences).encode())
    positions = county.wait(lambda c: mine(c, unit, "unit_location"), 15)
    assert positions[0]["acc"] > 0
    assert abs(positions[0]["tst"] - time.time()) < 90

    # Longer than one read of the client, in one TLS record, and nothing behind it.
    points = [
        {"id": f"p{n}", "desc": "巡逻点 " * 6, "lat": 352381100 + n, "lon": 1154802000, "rad": 20}
        for n in range(24)
    ]
    plan = county.command(unit.unit, "plan", points=points)
    county.wait(lambda c: [a for a in mine(c, unit, "unit_ack") if a["id"] == plan], 3)

    ended = unit.hold() + HOLD_MS
    (raised,) = county.wait(lambda c: mine(c, unit, "unit_sos")[:1], 5)
    assert (raised["state"], raised["fix"]["age_s"]) == ("raised", 0)
    assert unit.latched(ended)[0] - ended < 250
    unit.wait_felt(2, 5, ended)
    county.command(unit.unit, "help", sos=raised["id"])
    unit.wait_felt(3, 5, ended)

    unit.kill()
    cut = now_ms()
    unit.start()
    resumed = county.wait(
        lambda c: [f for f in mine(c, unit, "unit_sos") if f["boot"] != raised["boot"]], 15
    )[0]
    assert resumed["id"] == raised["id"]
    assert resumed["revision"] > raised["revision"]
    county.command(unit.unit, "sos_close", sos=raised["id"])
    county.wait(lambda c: [f for f in mine(c, unit, "unit_ack") if f["state"] == "accepted"], 10)
    assert unit.haptics(cut)
    county.wait(lambda c: not c.lost(unit), 10)


@pytest.mark.parametrize("fault", ["name", "authority"])
def test_a_broker_that_cannot_prove_itself_hears_nothing(
    county: County, tmp_path: Path, fault: str
) -> None:
    unit = UnitProcess(tmp_path / "unit", unit=f"u-{next(NUMBERS):04}")
    with Link(county.broker.port) as link:
        county.equip(unit, link.port)
        if fault == "name":
            unit.broker("county", "127.0.0.1", link.port, True, "somebody-else.example")
        else:
            stranger = certs.make_ca(tmp_path / "stranger")
            (unit.files / "ca.der").write_bytes(stranger.cert_der)
        unit.in_range("COUNTY", "password")
        unit.start()
        county.wait(lambda _: link.connections >= 4, 20)
        unit.stop()
    assert f"patrol/v1/c371500/{unit.unit}/state" not in county.consumer.states


def test_the_next_known_broker_is_tried(county: County, unit: UnitProcess) -> None:
    unit.broker("checkpoint", "127.0.0.1", 9, True, "localhost", then="county")
    unit.wifi_known("CHECKPOINT", "password", "checkpoint")
    unit.out_of_range("COUNTY")
    unit.in_range("CHECKPOINT", "password")
    unit.start()
    county.wait(lambda c: mine(c, unit, "unit_health"), 15)


@pytest.mark.parametrize(
    ("how", "exit_code", "cause"),
    [({}, RESET_EXIT, "software"), ({"PATROL_STUCK": "1"}, -signal.SIGKILL, "watchdog")],
)
def test_an_unforeseen_fault_ends_in_a_reset_and_is_told(
    county: County, tmp_path: Path, how: dict[str, str], exit_code: int, cause: str
) -> None:
    name = f"u-{next(NUMBERS):04}"
    broken = UnitProcess(tmp_path / "unit", name, script=BROKEN, environment=how)
    county.equip(broken)
    broken.start()
    assert broken.wait_exit(15) == exit_code
    broken.stop()
    repaired = UnitProcess(tmp_path / "unit", name)
    repaired.in_range("COUNTY", "password")
    repaired.start()
    state = county.wait(lambda c: mine(c, repaired, "unit_state"), 15)[0]
    repaired.stop()
    assert state["reset"] == cause


def test_an_unsigned_command_is_refused(county: County, unit: UnitProcess) -> None:
    unit.start()
    county.wait(lambda c: mine(c, unit, "unit_state"), 15)
    _, payload = county.signer.command(unit.unit, "discreet", on=True)
    broken = payload.replace(b'"on":true', b'"on":false')
    assert broken != payload
    county.publish(f"patrol/v1/c371500/{unit.unit}/cmd", broken)
    (ack,) = county.wait(lambda c: mine(c, unit, "unit_ack"), 10)
    assert (ack["state"], ack.get("why")) == ("refused", "clock")
