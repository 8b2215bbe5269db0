"""The modbus kind against pymodbus's server on a pty."""

from __future__ import annotations

from pathlib import Path

import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from edge_agent.buses import modbus
from tests.edge_agent.sensors.rig import running
from tests.fakes.modbus_slave import ModbusLine


@pytest.fixture(autouse=True)
def _short_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """2 s of rest are for slaves on a real wire; here late is 0.25 s."""
    monkeypatch.setattr(modbus, "REST_S", 0.4)


BUS = """
[[bus]]
name = "rs485"
kind = "modbus"
port = "{port}"
timeout_s = 0.1
"""
CLIMATE = """
[[sensor]]
id = "climate"
kind = "modbus"
bus = "rs485"
slave = 3
map = "xy-md02"
point = "temperature"
every_s = 0.05
min_gap_s = 0
"""


def toml(line: ModbusLine, *sensors: str) -> str:
    return BUS.format(port=line.link) + "".join(sensors)


async def test_a_reading_and_its_change(tmp_path: Path) -> None:
    with ModbusLine(tmp_path / "tty", {3: {"input": {1: 215, 2: 480}}}) as line:
        async with running(tmp_path, toml(line, CLIMATE)) as kept:
            first = await kept.until("climate", lambda f: f["quality"] == "good")
            assert (first["kind"], first["value"], first["unit"]) == ("temperature", 21500, "°C")
            line.set(3, "input", 1, [0x10000 - 52])
            await kept.until("climate", lambda f: f.get("value") == -5200)
    assert len(kept.of("climate")) == 2  # polled many times, told twice


OTHER = """
[[sensor]]
id = "door"
kind = "modbus"
bus = "rs485"
slave = 4
map = "inputs-8"
point = "cabinet_door"
every_s = 0.05
min_gap_s = 0
"""
SLAVES = {3: {"input": {1: 215, 2: 480}}, 4: {"discrete": {3: False}}}


def good(fields: dict[str, object]) -> bool:
    return fields["quality"] == "good"


def fault(fields: dict[str, object]) -> bool:
    return fields["quality"] == "fault"


async def test_bits_and_registers_on_one_line(tmp_path: Path) -> None:
    with ModbusLine(tmp_path / "tty", SLAVES) as line:
        async with running(tmp_path, toml(line, CLIMATE, OTHER)) as kept:
            await kept.until("climate", good)
            await kept.until("door", lambda f: f.get("value") == 0)
            line.set(4, "discrete", 3, [True])
            await kept.until("door", lambda f: f.get("value") == 1000)


async def test_an_exception_code_is_told_and_costs_no_rest(tmp_path: Path) -> None:
    with ModbusLine(tmp_path / "tty", SLAVES) as line:
        async with running(tmp_path, toml(line, CLIMATE)) as kept:
            await kept.until("climate", good)
            line.fault(3, "busy")
            assert "busy" in (await kept.until("climate", fault))["why"]
            kept.forget()
            line.fault(3, None)
            await kept.until("climate", good, within_s=1)


async def test_an_echoing_adapter(tmp_path: Path) -> None:
    with ModbusLine(tmp_path / "tty", SLAVES, echo=True) as line:
        with_echo = toml(line, CLIMATE).replace("timeout_s", "echo = true\ntimeout_s")
        async with running(tmp_path, with_echo) as kept:
            await kept.until("climate", good)


async def test_tcp(tmp_path: Path) -> None:
    device = SimDevice(3, [SimData(0, values=[0, 215, 480], datatype=DataType.REGISTERS)])
    server = ModbusTcpServer(device, address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    port = server.transport.sockets[0].getsockname()[1]
    bus = f'[[bus]]\nname = "rs485"\nkind = "modbus_tcp"\naddress = "127.0.0.1:{port}"\n'
    try:
        async with running(tmp_path, bus + CLIMATE) as kept:
            assert (await kept.until("climate", good))["value"] == 21500
    finally:
        await server.shutdown()
