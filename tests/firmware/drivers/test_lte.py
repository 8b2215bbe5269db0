"""The LTE driver against the A7670 double in given time: on, PPP, SMS, off, and every fault."""

from __future__ import annotations

import pytest

from tests.bench.duty_modem import SCENARIOS, Scenario, recovers
from tests.fakes.at_modem import Fault
from tests.fakes.lte_bench import LteBench

TEXT = "SOS u-0123 31.2480350,121.5873800"


def test_from_the_power_key_to_an_address() -> None:
    bench = LteBench()
    bench.want(True)
    assert bench.until_up(within_ms=20_000)
    assert bench.order == ["modem_pwrkey", "ppp on"] and [up for _, up in bench.links] == [True]


def test_ppp_is_over_before_the_modem_is_switched_off() -> None:
    bench = LteBench()
    bench.want(True)
    assert bench.until_up()
    bench.want(False)
    bench.run(20_000)
    assert bench.order == ["modem_pwrkey", "ppp on", "ppp off"]
    assert bench.device.commands[-2:] == ["ATH", "AT+CPOF"]
    assert not bench.device.powered(bench.now) and [up for _, up in bench.links] == [True, False]


def test_an_sms_from_a_modem_that_was_off_and_off_again() -> None:
    bench = LteBench()
    bench.sms(TEXT)
    bench.run(40_000)
    assert bench.device.texts == [("110", TEXT)]
    assert bench.posted == [("sms_sent", True)] and not bench.device.powered(bench.now)


def test_an_sms_while_online_hangs_up_first_and_the_link_returns() -> None:
    bench = LteBench()
    bench.want(True)
    assert bench.until_up()
    bench.sms(TEXT)
    assert bench.until_up(False) and bench.until_up(within_ms=60_000)
    assert bench.device.texts == [("110", TEXT)] and bench.posted == [("sms_sent", True)]


def test_an_sms_that_nobody_takes_is_told() -> None:
    bench = LteBench({"AT+CEREG?": [Fault.NOT_YET] * 1000})
    bench.sms(TEXT)
    bench.run(180_000)
    assert bench.posted == [("sms_sent", False)] and bench.device.texts == []


def test_it_may_sleep_between_paging_cycles_while_the_cpu_does() -> None:
    bench = LteBench()
    bench.want(True)
    assert bench.lte.doing() == "off"
    bench.run(3000)
    assert bench.lte.doing() == "busy"
    assert bench.until_up() and bench.lte.doing() == "up"
    assert "AT+CSCLK=1" in bench.device.commands and "AT+CPSMS=0" in bench.device.commands
    assert bench.dtr == 0
    bench.lte.nap(True)
    assert bench.dtr == 1
    bench.lte.nap(False)
    assert bench.dtr == 0


def test_its_signal_is_known() -> None:
    bench = LteBench()
    bench.want(True)
    assert bench.lte.rssi is None and bench.until_up() and bench.lte.rssi == -77


def test_in_psm_it_goes_off_by_itself_and_the_key_wakes_it() -> None:
    bench = LteBench()
    bench.lte.rest("psm")
    bench.want(True)
    assert bench.until_up()
    # T3412: two hours (unit 1), T3324: ten seconds (unit 0)
    assert 'AT+CPSMS=1,,,"00100010","00000101"' in bench.device.commands
    bench.want(False)
    bench.run(30_000)
    assert not bench.device.powered(bench.now) and "AT+CPOF" not in bench.device.commands
    assert bench.lte.doing() == "off"
    bench.want(True)
    assert bench.until_up() and bench.order.count("modem_pwrkey") == 2


def test_psm_that_is_wanted_while_it_is_online_counts_from_the_next_hang_up() -> None:
    bench = LteBench()
    bench.want(True)
    assert bench.until_up()
    bench.lte.rest("psm")
    bench.want(False)
    bench.run(30_000)
    assert not bench.device.powered(bench.now) and "AT+CPOF" not in bench.device.commands


def test_where_the_network_grants_no_psm_it_is_switched_off() -> None:
    bench = LteBench(grants_psm=False)
    bench.lte.rest("psm")
    bench.want(True)
    assert bench.until_up()
    bench.want(False)
    bench.run(50_000)
    assert bench.device.powered(bench.now)
    bench.run(60_000)
    assert not bench.device.powered(bench.now) and bench.device.commands[-1] == "AT+CPOF"


def test_an_sos_does_not_wait_for_psm() -> None:
    bench = LteBench()
    bench.lte.rest("psm")
    bench.want(True)
    assert bench.until_up()
    bench.want(False)
    bench.run(4000)  # hung up, not yet asleep
    bench.want(True)
    assert bench.until_up(within_ms=10_000)


def test_a_modem_that_knows_no_power_saving_is_used_all_the_same() -> None:
    bench = LteBench({"AT+CSCLK": [Fault.ERROR], "AT+CPSMS": [Fault.CME]})
    bench.want(True)
    assert bench.until_up(within_ms=30_000) and len(bench.logged) == 2


def test_while_it_rests_after_a_fault_the_cpu_may_sleep() -> None:
    bench = LteBench({"AT+CPIN?": [Fault.CME] * 9})
    bench.want(True)
    bench.run(60_000)
    seen = set()
    for _ in range(600):
        bench.run(200)
        seen.add(bench.lte.doing())
    assert seen == {"off", "busy"}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
def test_it_recovers(scenario: Scenario) -> None:
    assert recovers(scenario)


def test_a_driver_that_never_resets_the_modem_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async def only_wait(lte: object) -> None:
        await lte._until(lambda: False, 2000)  # type: ignore[attr-defined]

    def made(self: LteBench) -> object:
        lte = real(self)
        monkeypatch.setattr(type(lte), "_restart", only_wait)
        return lte

    real = LteBench._driver
    monkeypatch.setattr(LteBench, "_driver", made)
    failed = [scenario.name for scenario in SCENARIOS if not recovers(scenario)]
    assert "silence for ever until a reset" in failed
