"""The line under faults, rung 3, in reduced counts; `make bench-unit` runs the full ones."""

from __future__ import annotations

from pathlib import Path

from tests.bench import unit_faults, unit_kills, unit_malformed, unit_modem, unit_sos
from tests.fakes.county import County
from tests.fakes.modem import Modem
from tests.fakes.unit_process import UnitProcess

SHARED = 2  # the gate shares its two cores: latencies may be twice the bench's limits


def test_a_mute_connection_is_given_up(tmp_path: Path) -> None:
    with unit_faults.Rig(tmp_path) as rig:
        assert unit_faults.mute_next_ack_s(rig) <= 5 * SHARED


def test_a_broker_that_breaks_mqtt_costs_one_reconnect(tmp_path: Path) -> None:
    found = unit_malformed.measure(tmp_path)["malformed"]
    assert found["recovered"] == found["cases"] == 8
    assert found["max_s"] <= 1 * SHARED


def test_kills_lose_nothing(tmp_path: Path) -> None:
    found = unit_kills.run(tmp_path, kills=6, seed=1)
    assert found["accepted"] > 6
    assert found["lost"] == 0
    assert found["duplicates"] <= unit_kills.WINDOW * found["kills"]


def test_an_sos_overtakes_a_draining_backlog(tmp_path: Path) -> None:
    found = unit_sos.measure(tmp_path, count=4, units=2)
    assert found["sos_path_erases"] == 0
    assert found["sos_latch_ms"]["p99"] <= 100 * SHARED
    assert found["sos_air_ms"]["p99"] <= 250 * SHARED


def test_lte_gets_through_a_moody_modem(tmp_path: Path) -> None:
    found = unit_modem.measure(tmp_path, ["urc", "no_carrier"])["modem_faults"]
    assert found["recovered"] == found["tried"]


def test_no_data_link_at_all_sends_an_sms(tmp_path: Path) -> None:
    unit = UnitProcess(tmp_path / "unit", unit="u-0009")
    unit.settings["sms_to"] = "+8613800000000"
    with County(tmp_path / "county", tls=False) as county:
        county.equip(unit, port=9)  # nobody listens there
        unit.lte("cmnet", "county")
        with Modem(unit, {"no_carrier"}) as modem:
            unit.start()
            unit.charger(False)
            county.wait(lambda _: unit.haptics(), 20)  # the shift is felt: its thread lives
            unit.hold()
            county.wait(lambda _: modem.sms, 60)
            unit.stop()
    ((number, text),) = modem.sms[:1]
    assert number == "+8613800000000"
    assert text.startswith("SOS u-0009 ")


def test_a_killed_broker_is_told_what_was_pressed_meanwhile(tmp_path: Path) -> None:
    with unit_faults.Rig(tmp_path) as rig:
        unit_faults.broker_kill(rig)
        tap = rig.link.tap
        assert tap is not None
        # The one pressed while it was gone, and one after. An answer may come after the arrival.
        rig.county.wait(lambda _: len([1 for _, name in tap.acked if name == "unit_mark"]) == 2, 5)


def test_on_a_full_flash_no_turn_of_the_loop_holds_two_erases(tmp_path: Path) -> None:
    _, erases = unit_faults.full_flash(tmp_path, 6)
    assert erases == 1
