"""What goes wrong on wires, each played against real peers: pymodbus's server and ptys, real gpiod
types on a fake chip. Tests run each; `make bench-sensors` counts them.

A scenario gets an empty folder and raises AssertionError if the agent did not survive: the sensor
says fault or stale with the time of its last reading, the others go on, and it heals by itself.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from edge_agent.buses import modbus as modbus_bus
from edge_agent.buses.gpio import GpioBus
from edge_agent.buses.section import GpioSection
from tests.edge_agent.sensors.rig import Kept, running
from tests.fakes.gpio_chip import FakeChip
from tests.fakes.modbus_slave import ModbusLine
from tests.fakes.serial_peer import SerialPeer

Scenario = Callable[[Path], Awaitable[None]]

SLAVES = {3: {"input": {1: 215, 2: 480}}, 4: {"discrete": {3: False}}}
BACK_S = 3.0  # after a replug


def bus(port: object, name: str = "rs485", more: str = "") -> str:
    return (
        f'[[bus]]\nname = "{name}"\nkind = "modbus"\nport = "{port}"\ntimeout_s = 0.1\n'
        f"silent_retry_s = 2\n{more}"
    )


def modbus(name: str, slave: int, point: str, at: str = "rs485") -> str:
    table = "xy-md02" if slave == 3 else "inputs-8"
    return (
        f'[[sensor]]\nid = "{name}"\nkind = "modbus"\nbus = "{at}"\nslave = {slave}\n'
        f'map = "{table}"\npoint = "{point}"\nevery_s = 0.05\nmin_gap_s = 0\n'
    )


def lines(port: object) -> str:
    return (
        f'[[bus]]\nname = "line"\nkind = "serial"\nport = "{port}"\n'
        '[[sensor]]\nid = "radar"\nkind = "serial_line"\nbus = "line"\npattern = "radar"\n'
        "min_gap_s = 0\n"
    )


CLIMATE, HUMID = modbus("climate", 3, "temperature"), modbus("humid", 3, "humidity")
DOOR = modbus("door", 4, "cabinet_door")
CONTACT = (
    '[[bus]]\nname = "pi"\nkind = "gpio"\n'
    '[[sensor]]\nid = "contact"\nkind = "gpio"\nbus = "pi"\nline = 17\ndebounce_ms = 0\n'
    "min_gap_s = 0.2\nburst = 3\n"
)


def good(fields: dict[str, Any]) -> bool:
    return fields["quality"] == "good"


def fault(fields: dict[str, Any]) -> bool:
    return fields["quality"] == "fault"


def chip_bus(chip: FakeChip) -> list[Any]:
    return [GpioBus(GpioSection(name="pi", kind="gpio"), open_chip=chip.open)]


async def says(kept: Kept, peer: SerialPeer, speed: int) -> None:
    """Say a speed until it is through: what comes before a port is open is nobody's."""
    async with asyncio.timeout(BACK_S):
        while not [f for f in kept.of("radar") if f.get("value") == speed * 1000]:
            peer.say(f"V={speed:03d}")
            await asyncio.sleep(0.02)


async def bad_slave(fault_name: str, folder: Path) -> None:
    with ModbusLine(folder / "tty", SLAVES, late_s=0.25) as line:
        async with running(folder, bus(line.link) + CLIMATE + DOOR) as kept:
            told = await kept.until("climate", good)
            line.fault(3, fault_name)
            bad = await kept.until("climate", fault, within_s=10)
            assert bad["value"] == told["value"] and bad["read"] - told["read"] <= 1, bad
            assert "3" in bad["why"]
            asked = line.asked.copy()
            line.set(4, "discrete", 3, [True])
            await kept.until("door", lambda f: f.get("value") == 1000, within_s=1)
            kept.forget()
            line.fault(3, None)
            await kept.until("climate", good, within_s=10)
            if fault_name != "busy":  # that one answers at once, so it is asked at its turn
                others, its = line.asked[4] - asked[4], line.asked[3] - asked[3]
                assert others > 2 * its, "the dead slave slowed the living"
            assert {f["value"] for f in kept.of("climate")} == {21500}


async def late_answer(folder: Path) -> None:
    """Two sensors of one slave, same shape of answer: 215 and 480 must not change places."""
    with ModbusLine(folder / "tty", SLAVES, late_s=0.25) as line:
        async with running(folder, bus(line.link) + CLIMATE + HUMID) as kept:
            await kept.until("climate", good)
            line.fault(3, "late")
            await kept.until("climate", fault, within_s=10)
            await kept.until("humid", fault, within_s=10)
            kept.forget()
            line.fault(3, None)
            await kept.until("climate", good, within_s=10)
            await kept.until("humid", good, within_s=10)
            assert {f["value"] for f in kept.of("climate")} == {21500}
            assert {f["value"] for f in kept.of("humid")} == {48000}


async def noise_before_an_answer(folder: Path) -> None:
    """Noise now and then costs a second question at once, not a rest and not a fault."""
    with ModbusLine(folder / "tty", SLAVES) as line, patch.object(modbus_bus, "REST_S", 60):
        async with running(
            folder, bus(line.link).replace("silent_retry_s = 2", "silent_retry_s = 60") + CLIMATE
        ) as kept:
            await kept.until("climate", good)
            line.fault(3, "bad_crc")
            asked = line.asked[3]
            async with asyncio.timeout(5):
                while line.asked[3] == asked:  # noqa: ASYNC110
                    await asyncio.sleep(0)  # healed as soon as one question was spoilt
            line.fault(3, None)
            line.set(3, "input", 1, [216])
            await kept.until("climate", lambda f: f.get("value") == 21600)
            assert not [f for f in kept.of("climate") if fault(f)]


async def unplugged_adapter(folder: Path) -> None:
    with ModbusLine(folder / "tty", SLAVES) as line:
        async with running(folder, bus(line.link) + CLIMATE) as kept:
            told = await kept.until("climate", good)
            line.unplug()
            bad = await kept.until("climate", fault)
            assert bad["read"] - told["read"] <= 1 and "plug it in" in bad["why"], bad
            kept.forget()
            line.set(3, "input", 1, [216])
            line.plug()
            await kept.until("climate", lambda f: f.get("value") == 21600, within_s=BACK_S)


async def swapped_numbers(folder: Path) -> None:
    """Both adapters out and back in the other order: each sensor still reads its own."""
    with ExitStack() as stack:
        one = stack.enter_context(ModbusLine(folder / "by-id" / "usb-FTDI_A1", SLAVES))
        other = {3: {"input": {1: 99}}}
        two = stack.enter_context(ModbusLine(folder / "by-path" / "usb-0:1.3:1.0", other))
        toml = bus(one.link, "one") + bus(two.link, "two")
        toml += modbus("a", 3, "temperature", "one") + modbus("b", 3, "temperature", "two")
        async with running(folder, toml) as kept:
            await kept.until("a", good)
            await kept.until("b", good)
            for line in (one, two):
                line.unplug()
            await kept.until("a", fault)
            await kept.until("b", fault)
            kept.forget()
            for line in (two, one):
                line.plug()
            await kept.until("a", good, within_s=BACK_S)
            await kept.until("b", good, within_s=BACK_S)
            assert {f["value"] for f in kept.of("a")} == {21500}
            assert {f["value"] for f in kept.of("b")} == {9900}


async def not_plugged_in_at_the_start(folder: Path) -> None:
    with ModbusLine(folder / "tty", SLAVES) as line:
        line.unplug()
        async with running(folder, bus(line.link) + CLIMATE) as kept:
            bad = await kept.until("climate", fault)
            assert "plug it in" in bad["why"] and "read" not in bad
            line.plug()
            await kept.until("climate", good, within_s=BACK_S)


async def wrong_address(folder: Path) -> None:
    wrong = CLIMATE.replace('map = "xy-md02"\npoint = "temperature"', "function = 4\naddress = 77")
    with ModbusLine(folder / "tty", SLAVES) as line:
        async with running(folder, bus(line.link) + wrong + DOOR) as kept:
            assert "correct address" in (await kept.until("climate", fault))["why"]
            await kept.until("door", good)


async def tcp_device_restarts(folder: Path) -> None:
    def device() -> SimDevice:
        return SimDevice(3, [SimData(0, values=[0, 215, 480], datatype=DataType.REGISTERS)])

    server = ModbusTcpServer(device(), address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    port = server.transport.sockets[0].getsockname()[1]
    address = f'[[bus]]\nname = "rs485"\nkind = "modbus_tcp"\naddress = "127.0.0.1:{port}"\n'
    async with running(folder, address + "silent_retry_s = 1\n" + CLIMATE) as kept:
        await kept.until("climate", good)
        await server.shutdown()
        await kept.until("climate", fault)
        kept.forget()
        server = ModbusTcpServer(device(), address=("127.0.0.1", port))
        await server.serve_forever(background=True)
        await kept.until("climate", good, within_s=10)
    await server.shutdown()


async def unplugged_line(folder: Path) -> None:
    with SerialPeer(folder / "tty") as peer:
        async with running(folder, lines(peer.link)) as kept:
            await says(kept, peer, 1)
            peer.unplug()
            await kept.until("radar", fault)
            kept.forget()
            peer.plug()
            await says(kept, peer, 52)


async def ten_megabytes_without_an_end(folder: Path) -> None:
    with SerialPeer(folder / "tty") as peer:
        async with running(folder, lines(peer.link)) as kept:
            await says(kept, peer, 1)
            await asyncio.to_thread(peer.send, b"7" * 10_000_000 + b"\n")
            assert "check end" in (await kept.until("radar", fault))["why"]
            peer.say("V=052")
            await kept.until("radar", lambda f: f.get("value") == 52_000)


async def binary_noise_on_a_line(folder: Path) -> None:
    with SerialPeer(folder / "tty") as peer:
        async with running(folder, lines(peer.link)) as kept:
            await says(kept, peer, 1)
            for _ in range(5):
                peer.send(b"\xf3\x9a\x00\x81\r\n")  # what 9600 looks like at 115200
            assert "baud" in (await kept.until("radar", fault))["why"]
            await says(kept, peer, 52)


async def chattering_contact(folder: Path) -> None:
    """Slower than a debounce: every change is real. Few reports, none hidden, the last one true."""
    chip = FakeChip()
    async with running(folder, CONTACT, chip_bus(chip)) as kept:
        await kept.until("contact", good)
        began = asyncio.get_running_loop().time()
        await asyncio.to_thread(chip.bounce, 17, [0, 1] * 20, 0.005)
        chip.set(17, 0)
        # The first look and 41 changes: each told, or counted in the next report.
        await kept.until("contact", lambda f: f["value"] == 1000 and _accounted(kept) >= 42)
        took = asyncio.get_running_loop().time() - began
    assert len(kept.of("contact")) <= 3 + took / 0.2 + 1, kept.of("contact")


def _accounted(kept: Kept) -> int:
    reports = kept.of("contact")
    return len(reports) + sum(int(f["why"].split()[1]) for f in reports if "why" in f)


async def gpio_expander_pulled_out(folder: Path) -> None:
    chip = FakeChip()
    async with running(folder, CONTACT, chip_bus(chip)) as kept:
        await kept.until("contact", good)
        chip.lose()
        await kept.until("contact", fault)
        kept.forget()
        chip.gone = False
        chip.set(17, 0)
        await kept.until("contact", lambda f: f.get("value") == 1000, within_s=BACK_S)


async def gpio_line_taken(folder: Path) -> None:
    chip = FakeChip()
    chip.taken.add(17)
    async with running(folder, CONTACT, chip_bus(chip)) as kept:
        assert "gpioinfo" in (await kept.until("contact", fault))["why"]
        chip.taken.clear()
        await kept.until("contact", good, within_s=BACK_S)


async def outbox_refuses(folder: Path) -> None:
    """A full disk: what was read is told once there is room again, nothing falls over."""
    with ModbusLine(folder / "tty", SLAVES) as line:
        async with running(folder, bus(line.link) + CLIMATE) as kept:
            await kept.until("climate", good)
            kept.broken = OSError("disk full")
            line.set(3, "input", 1, [216])
            async with asyncio.timeout(5):
                while not kept.refused:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            kept.broken = None
            await kept.until("climate", lambda f: f.get("value") == 21600)


def _named(name: str) -> Scenario:
    scenario = functools.partial(bad_slave, name)
    scenario.__name__ = f"slave_{name}"  # type: ignore[attr-defined]
    return scenario


SCENARIOS: tuple[Scenario, ...] = (
    *map(
        _named,
        [
            *("silent", "garbage", "bad_crc", "truncated", "late", "busy"),
            *("wrong_slave", "wrong_function", "short", "nonsense"),
        ],
    ),
    *(late_answer, noise_before_an_answer, unplugged_adapter, swapped_numbers),
    *(not_plugged_in_at_the_start, wrong_address, tcp_device_restarts),
    *(unplugged_line, ten_megabytes_without_an_end, binary_noise_on_a_line),
    *(chattering_contact, gpio_expander_pulled_out, gpio_line_taken, outbox_refuses),
)
