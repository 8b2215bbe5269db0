"""The accelerometer's driver against a register model of the chip, in given time; its moods."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "body_unit"))
from motion_traces import FALLS, NO_FALLS, Dice, breathing, chain, vibration

from tests.fakes.accel_bench import UPRIGHT, AccelBench, model

RETRY_MS, POLL_MS = 60_000, 400
Make = Callable[..., AccelBench]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Make:
    return lambda *felt, **more: AccelBench(monkeypatch, *felt, **more)


# --- the model itself ---------------------------------------------------------------------------
def chip():
    made = model().Chip()
    for register, value in ((0x20, 0x47), (0x21, 2), (0x22, 0x60), (0x24, 0x4A), (0x2E, 0x80)):
        made.write(register, value)
    for register, value in ((0x32, 6), (0x33, 3), (0x30, 0x95), (0x36, 2), (0x37, 1), (0x34, 0x2A)):
        made.write(register, value)
    for _ in range(200):
        made.sample(*UPRIGHT)
    made.read(0x35, 1)
    return made


def test_the_chip_latches_free_fall_until_it_is_read() -> None:
    made = chip()
    assert not made.int1()
    for _ in range(3):
        made.sample(0, 0, 100)
    assert not made.read(0x31, 1)[0] & 0x40  # not longer than its duration
    made.sample(0, 0, 100)
    assert made.int1() and made.read(0x31, 1)[0] & 0x40
    made.sample(*UPRIGHT)
    made.read(0x35, 1)  # the jolt was motion too
    assert not made.int1()


def test_gravity_is_no_motion_and_a_push_is() -> None:
    made = chip()
    for _ in range(100):
        made.sample(*UPRIGHT)
    assert not made.read(0x35, 1)[0] & 0x40
    for _ in range(2):
        made.sample(0, 300, 1000)
    assert made.int1() and made.read(0x35, 1)[0] == 0x48  # IA, Y high
    made.sample(0, 300, 1000)


def test_the_fifo_keeps_the_newest_32_and_a_chip_in_power_down_feels_nothing() -> None:
    made = chip()
    for n in range(40):
        made.sample(4 * n, 0, 0)
    assert made.read(0x2F, 1)[0] & 0x5F == 0x5F
    data = made.read(0xA8, 12)
    assert (data[0] | data[1] << 8) >> 4 == 8 and (data[6] | data[7] << 8) >> 4 == 9
    made.power_on()
    made.sample(*UPRIGHT)
    assert made.read(0x2F, 1)[0] == 0x20


# --- the driver ---------------------------------------------------------------------------------
def test_at_rest_it_says_nothing(make: Make) -> None:
    bench = make()
    bench.run(120_000)
    assert bench.driver.alive and bench.posted == [] and bench.logged == []
    assert bench.driver.doing() == "no" and not bench.bus.chip.int1()


def test_it_tells_motion_when_it_begins_and_ends(make: Make) -> None:
    bench = make()
    bench.feel(chain(vibration(20, 600, Dice(1)), [UPRIGHT]))
    bench.run(60_000)
    assert bench.named("motion") == [("motion", True), ("motion", False)]
    assert bench.named("stir")


@pytest.mark.parametrize("trace", FALLS, ids=lambda t: t.__name__)
def test_a_fall_is_found_through_the_chip(make: Make, trace: Callable[[Dice], object]) -> None:
    bench = make()
    bench.feel(trace(Dice(5)))  # type: ignore[arg-type]
    bench.run(60_000)
    assert bench.named("fall") == [("fall",)]


@pytest.mark.parametrize("trace", NO_FALLS, ids=lambda t: t.__name__)
def test_what_is_none_is_none_through_the_chip(make: Make, trace: Callable[[Dice], object]) -> None:
    bench = make()
    bench.feel(trace(Dice(6)))  # type: ignore[arg-type]
    bench.run(90_000)
    assert bench.named("fall") == []


def test_a_cpu_that_slept_is_woken_in_the_fall_and_still_finds_it(make: Make) -> None:
    bench = make(breathing(UPRIGHT, 2, Dice(1)))
    bench.run(2000)
    fall = list(FALLS[1](Dice(7)))[4 * 50 :]  # a second of standing, then down
    bench.feel(fall)
    slept = 0
    while not bench.bus.chip.int1():
        bench.run(20, awake=False)
        slept += 20
    assert 1000 < slept < 1200  # within the free fall
    bench.run(40_000)
    assert bench.named("fall") == [("fall",)]


def test_while_a_fall_may_be_one_nobody_sleeps(make: Make) -> None:
    bench = make()
    bench.feel(FALLS[0](Dice(1)))
    seen = set()
    for _ in range(200):
        bench.run(200)
        seen.add(bench.driver.doing())
    assert seen == {"no", "maybe"} and bench.driver.doing() == "no"


# --- its moods ----------------------------------------------------------------------------------
@pytest.mark.parametrize("mood", ["absent", "other"])
def test_a_board_without_it_goes_on_without_it(make: Make, mood: str) -> None:
    bench = make(mood=mood)
    assert not bench.driver.alive
    bench.run(10 * RETRY_MS)
    assert bench.posted == [] and len(bench.logged) == 1


def test_one_that_stops_answering_is_told_and_taken_back(make: Make) -> None:
    bench = make()
    bench.run(5000)
    bench.feel(mood="nack")
    bench.run(5000)
    assert bench.posted == [("accelerometer", False)] and not bench.driver.alive
    bench.run(3 * RETRY_MS)
    assert len(bench.posted) == 1
    bench.feel()
    bench.run(RETRY_MS + 1000)
    assert bench.posted[1:] == [("accelerometer", True)] and bench.driver.alive


def test_a_stuck_bus_is_clocked_free(make: Make) -> None:
    bench = make()
    bench.run(5000)
    bench.feel(mood="stuck")
    bench.run(1000)
    assert bench.posted == [("accelerometer", False)]
    bench.run(RETRY_MS)
    assert bench.driver.alive and bench.posted[1:] == [("accelerometer", True)]


def test_stuck_from_the_start_it_is_freed_at_once(make: Make) -> None:
    assert make(mood="stuck").driver.alive


def test_one_that_lost_its_settings_is_set_up_anew(make: Make) -> None:
    bench = make()
    bench.run(5000)
    bench.feel(mood="reset")
    bench.run(3000)
    assert bench.driver.alive and bench.posted == [] and "no samples" in bench.logged[0]
    bench.feel(FALLS[0](Dice(2)))
    bench.run(40_000)
    assert bench.named("fall") == [("fall",)]
