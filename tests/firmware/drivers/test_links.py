"""Which link is wanted when, and how often Wi-Fi is looked for, in given time."""

from __future__ import annotations

import pytest

from body_unit import power
from drivers.links import BACK_AFTER_MS, OTHER_AFTER_MS, Links


class Link:
    def __init__(self) -> None:
        self.up = False
        self.wanted = False
        self.resting = "off"
        self.every_s: int | None = 0

    def want(self, on: bool) -> None:
        self.wanted = on

    def rest(self, how: str) -> None:
        self.resting = how

    def doing(self) -> str:
        return "up" if self.up else "off"


class Bench:
    def __init__(self) -> None:
        self.now = 0
        self.records = 0
        self.wifi, self.lte = Link(), Link()
        self.links = Links(self.wifi, self.lte, self, lambda: self.records)
        self.run(0)
        self.links.mode("one")

    def now_ms(self) -> int:
        return self.now

    def run(self, ms: int) -> None:
        for _ in range(ms // 500 + 1):
            self.now += 500
            self.links.step()


@pytest.fixture
def bench() -> Bench:
    return Bench()


def on_lte(bench: Bench) -> None:
    bench.run(OTHER_AFTER_MS + 1000)
    assert bench.lte.wanted
    bench.lte.up = True
    bench.run(1000)


def test_wifi_first_and_lte_when_there_is_none(bench: Bench) -> None:
    assert bench.wifi.wanted
    bench.run(OTHER_AFTER_MS - 3000)
    assert not bench.lte.wanted
    on_lte(bench)
    bench.wifi.up = True
    bench.run(BACK_AFTER_MS - 2000)
    assert bench.lte.wanted
    bench.run(3000)
    assert not bench.lte.wanted


def test_wifi_is_looked_for_often_without_a_link_seldom_on_lte_and_not_at_all_when_still(
    bench: Bench,
) -> None:
    bench.run(1000)
    assert bench.wifi.every_s == power.WIFI_REST_S
    on_lte(bench)
    assert bench.wifi.every_s == power.WIFI_SCAN_S
    bench.links.still(True)
    bench.run(1000)
    assert bench.wifi.every_s is None
    bench.links.mode("all")  # an SOS takes any way out
    bench.run(1000)
    assert bench.wifi.every_s == power.WIFI_REST_S


def test_below_the_reserve_lte_is_up_only_while_something_waits(bench: Bench) -> None:
    on_lte(bench)
    bench.links.modem("psm")
    assert bench.lte.resting == "psm"
    bench.run(power.LISTEN_S * 1000 + 1000)
    assert not bench.lte.wanted
    bench.records = 1  # health is due
    bench.run(1000)
    assert bench.lte.wanted
    bench.records = 0  # acknowledged: listen a while for what waits at the broker
    bench.run(power.LISTEN_S * 1000 - 2000)
    assert bench.lte.wanted
    bench.run(3000)
    assert not bench.lte.wanted


def test_an_sos_has_both_whatever_the_battery_says(bench: Bench) -> None:
    bench.links.modem("off")
    bench.run(60_000)
    assert not bench.lte.wanted and bench.lte.resting == "off"
    bench.links.mode("all")
    assert bench.lte.wanted and bench.wifi.wanted
