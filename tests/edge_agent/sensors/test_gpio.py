"""Contacts and pulses on a fake chip (tests/fakes/gpio_chip.py), rung 1 with real gpiod types."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from edge_agent.buses.gpio import GpioBus
from edge_agent.buses.section import GpioSection
from tests.edge_agent.sensors.rig import running
from tests.fakes.gpio_chip import FakeChip

CHIP = '[[bus]]\nname = "pi"\nkind = "gpio"\n'
DOOR = (
    '[[sensor]]\nid = "door"\nkind = "gpio"\nbus = "pi"\nline = 17\ndebounce_ms = 10\n'
    "min_gap_s = 0.2\nburst = 3\n"
)
RAIN = (
    '[[sensor]]\nid = "rain"\nkind = "gpio"\nbus = "pi"\nline = 5\nmode = "pulse"\n'
    "debounce_ms = 0\nper_pulse = 0.2\nevery_s = 0.05\nmin_gap_s = 0\n"
)


def bus(chip: FakeChip) -> list[GpioBus]:
    return [GpioBus(GpioSection(name="pi", kind="gpio"), open_chip=chip.open)]


async def test_a_door_opens_and_closes_with_the_time_of_the_edge(tmp_path: Path) -> None:
    chip = FakeChip()
    async with running(tmp_path, CHIP + DOOR, bus(chip)) as kept:
        await kept.until("door", lambda f: f.get("value") == 0)
        chip.set(17, 0)  # pulled up, on at ground
        on = await kept.until("door", lambda f: f.get("value") == 1000)
        assert abs(on["read"] - time.time()) < 2
        chip.set(17, 1)
        await kept.until("door", lambda f: f.get("value") == 0)
    assert not chip.requests  # released


async def test_a_bounce_is_one_change(tmp_path: Path) -> None:
    chip = FakeChip()
    async with running(tmp_path, CHIP + DOOR, bus(chip)) as kept:
        await kept.until("door", lambda f: f.get("value") == 0)
        await asyncio.to_thread(chip.bounce, 17, [0, 1, 0, 1, 0], 0.001)
        await kept.until("door", lambda f: f.get("value") == 1000)
        assert [f["value"] for f in kept.of("door")] == [0, 1000]


async def test_pulses_are_counted_by_the_kernels_numbers(tmp_path: Path) -> None:
    chip = FakeChip()
    async with running(tmp_path, CHIP + RAIN, bus(chip)) as kept:
        await kept.until("rain", lambda f: f.get("value") == 0)
        await asyncio.to_thread(chip.bounce, 5, [0, 1] * 7, 0)
        await kept.until("rain", lambda f: f.get("value") == 1400)


async def test_no_chip_here_is_a_sentence(tmp_path: Path) -> None:
    nowhere = CHIP + 'chip = "/dev/gpiochip99"\n' + DOOR
    async with running(tmp_path, nowhere) as kept:
        bad = await kept.until("door", lambda f: f["quality"] == "fault")
        assert "gpiodetect" in bad["why"]
