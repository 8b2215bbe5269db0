"""What is armed before a light sleep, and what is told after it; the receiver's line while off."""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from body_unit import power
from drivers import watched

DRIVERS = Path(__file__).resolve().parents[3] / "firmware/drivers"


class Row(NamedTuple):
    gpio: str
    active: str = "high"
    wake: str = ""
    bus: str = "uart1.rx"


class Bench:
    """One driver file with a machine and an esp32 of its own; `told` is what they were asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, driver: str) -> None:
        self.told: list[Any] = []
        machine: Any = types.ModuleType("machine")
        machine.Pin = self._pin
        machine.Pin.IN, machine.Pin.OUT = 0, 1  # type: ignore[attr-defined]
        machine.UART = lambda *_, **__: SimpleNamespace(
            init=lambda **kwargs: self.told.append(("uart", kwargs)), write=self.told.append
        )
        machine.lightsleep = lambda ms: self.told.append(("sleep", ms))
        esp32: Any = types.ModuleType("esp32")
        esp32.WAKEUP_ANY_HIGH = True
        esp32.wake_on_ext0 = lambda pin, level: self.told.append(("ext0", pin, level))
        esp32.wake_on_ext1 = lambda pins, level: self.told.append(("ext1", pins))
        monkeypatch.setitem(sys.modules, "machine", machine)
        monkeypatch.setitem(sys.modules, "esp32", esp32)
        spec = importlib.util.spec_from_file_location("driver", DRIVERS / f"{driver}.py")
        assert spec and spec.loader
        self.driver: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.driver)

    @property
    def _pin(self) -> Any:
        def pin(gpio: str, mode: int = -1, value: int | None = None) -> Any:
            if value is not None:
                self.told.append((gpio, value))
            return SimpleNamespace(value=lambda level: self.told.append((gpio, level)), gpio=gpio)

        return pin

    def pins(self) -> list[str]:
        """What ext1 was armed with."""
        (armed,) = [row[1] for row in self.told if row[0] == "ext1"]
        return [pin.gpio for pin in armed or ()]


def nap(bench: Bench, modem_on: bool = True, accel: bool | None = True, wake: str = "ext0") -> Any:
    rows = {
        "button": Row("button", "low", wake),
        "modem_ri": Row("ri", wake="ext1"),
        "accel_int": Row("int", wake="ext1"),
    }
    told = bench.told
    lte = SimpleNamespace(powered=lambda: modem_on, nap=lambda on: told.append(("lte", on)))
    parts = {"button": SimpleNamespace(pin="button"), "lte": lte}
    care = SimpleNamespace(slept=lambda ms: told.append("slept"))
    shell = SimpleNamespace(clock=SimpleNamespace(now_ms=lambda: 0))
    chip = None if accel is None else SimpleNamespace(alive=accel)
    return bench.driver.Nap(rows, shell, parts, care, chip)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch, "nap")


def test_everything_is_armed_before_the_sleep_and_the_modem_wakes_after_it(bench: Bench) -> None:
    nap(bench)._sleep(5000)
    assert [row if isinstance(row, str) else row[0] for row in bench.told] == [
        "ext0",
        "ext1",
        "lte",
        "sleep",
        "lte",
        "slept",
    ]
    assert bench.told[0] == ("ext0", "button", False)  # active low: at its low level
    assert ("lte", True) in bench.told and bench.told[-2] == ("lte", False)
    assert bench.pins() == ["ri", "int"]


@pytest.mark.parametrize(
    ("modem_on", "accel", "armed"),
    [(False, True, ["int"]), (True, False, ["ri"]), (True, None, ["ri"]), (False, None, [])],
)
def test_what_reads_high_without_a_reason_is_left_out(
    bench: Bench, modem_on: bool, accel: bool | None, armed: list[str]
) -> None:
    nap(bench, modem_on, accel)._sleep(5000)
    assert bench.pins() == armed


def test_a_board_whose_button_cannot_wake_it_never_sleeps(bench: Bench) -> None:
    nap(bench, wake="").step()
    assert bench.told == []


def test_a_receiver_that_is_off_is_not_fed_through_its_input(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(monkeypatch, "gps")
    rows = {"gps_rx": Row("rx"), "gps_tx": Row("tx"), "gps_power": Row("power")}
    clock = SimpleNamespace(now_ms=lambda: 0)
    receiver = bench.driver.Receiver(rows, None, clock, None)
    assert bench.told == [("tx", 0), ("power", False)]
    assert receiver.doing() == "off"
    receiver._switch(True)
    assert bench.told[2:4] == [("uart", {"tx": "tx"}), ("power", True)]
    assert receiver.doing() == "on"


@pytest.fixture
def care(monkeypatch: pytest.MonkeyPatch) -> Any:
    """drivers.care.Care over two tasks; `.now` is its clock, `.fed` counts."""
    machine: Any = types.ModuleType("machine")
    machine.WDT = lambda timeout: SimpleNamespace(feed=lambda: setattr(made, "fed", made.fed + 1))
    gc: Any = types.ModuleType("gc")
    gc.mem_free = lambda: 1000
    monkeypatch.setitem(sys.modules, "gc", gc)
    monkeypatch.setitem(sys.modules, "machine", machine)
    spec = importlib.util.spec_from_file_location("care", DRIVERS / "care.py")
    assert spec and spec.loader
    driver: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(driver)
    assert power.NAP_LONGEST_MS < driver.BITES_MS
    monkeypatch.setattr(watched, "said", {})
    monkeypatch.setattr(driver, "said", watched.said)
    clock = SimpleNamespace(now_ms=lambda: made.now if made else 0)
    made: Any = None
    made = driver.Care(clock, ("one", "two"))
    made.now = made.fed = 0
    return made


def test_a_sleep_is_no_stall_and_who_hangs_in_it_is_found_out(care: Any) -> None:
    watched.alive("one")
    watched.alive("two")
    assert care.feed() and care.fed == 1
    care.now += power.NAP_LONGEST_MS
    care.slept(power.NAP_LONGEST_MS)
    care.beat(20)
    assert care.stall_ms == 0
    watched.alive("one")
    assert not care.feed() and care.fed == 1  # "two" was due, and has not come
    watched.alive("two")
    assert care.feed() and care.fed == 2
