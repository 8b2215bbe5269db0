from __future__ import annotations

import asyncio

import pytest

from edge_agent import supervise
from edge_agent.buses import Buses, modbus
from edge_agent.buses.modbus import rest_s
from edge_agent.buses.port import not_opened, why_not
from edge_agent.buses.section import GpioSection, SerialSection
from edge_agent.buses.serial import SerialBus


async def test_a_bus_that_breaks_is_started_again_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervise, "FIRST_S", 0.01)
    runs = {"bad": 0, "good": 0}
    again = asyncio.Event()

    class Bad(SerialBus):
        async def run(self) -> None:
            runs["bad"] += 1
            if runs["bad"] == 3:
                again.set()
            raise ZeroDivisionError("a bug in a bus")

    class Good(SerialBus):
        async def run(self) -> None:
            runs["good"] += 1
            await asyncio.Event().wait()

    made = [
        kind(SerialSection(name=name, kind="serial", port="/dev/x"))
        for name, kind in (("bad", Bad), ("good", Good))
    ]
    task = asyncio.create_task(Buses([], made).run())
    await asyncio.wait_for(again.wait(), 5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert runs["good"] == 1


def test_a_bus_of_another_kind_is_our_own_mistake() -> None:
    with pytest.raises(TypeError, match="no ModbusBus"):
        Buses([GpioSection(name="pi", kind="gpio")]).modbus("pi")


def test_a_silent_slave_rests_longer_and_longer_up_to_the_limit() -> None:
    first = modbus.REST_S
    assert [rest_s(n, 30) for n in range(1, 7)] == [first, 2 * first, 4 * first, 8 * first, 30, 30]
    assert rest_s(10_000, 3600) == 3600


def test_what_is_said_of_ports() -> None:
    assert "plug it in" in str(not_opened("/dev/ttyNOT"))
    assert "not a serial port" in str(why_not("/etc/hostname"))
    assert why_not("/dev/ptmx") is None
    assert "fuser" in str(not_opened("/dev/ptmx"))
