"""Lines that devices print: the pure decode, then the kind on a pty."""

from __future__ import annotations

import asyncio
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from edge_agent.sensors.serial_line import SerialLineSection, decode
from tests.edge_agent.sensors.rig import running
from tests.fakes.serial_peer import SerialPeer


def section(**keys: Any) -> SerialLineSection:
    return SerialLineSection.model_validate({"id": "s", "kind": "serial_line", "bus": "b", **keys})


PLATES = section(pattern="plate", encoding="gbk")


@pytest.mark.parametrize(
    ("line", "plate"),
    [
        ("粤B·D12345", "粤BD12345"),  # new energy, small
        ("粤B12345D", "粤B12345D"),  # new energy, large
        ("鲁P 12345", "鲁P12345"),
        ("$PLATE,鲁PA1B23,蓝,98*", "鲁PA1B23"),
        ("京A1234学", "京A1234学"),
        ("川A1234警", "川A1234警"),
        ("冀B1234挂", "冀B1234挂"),
        ("粤Z1234港", "粤Z1234港"),
        ("WJ京12345", "WJ京12345"),
    ],
)
def test_chinese_plates(line: str, plate: str) -> None:
    reading = decode(line.encode("gbk"), PLATES)
    assert reading is not None and reading.event
    assert reading.text == plate


@pytest.mark.parametrize("line", ["粤B1234", "粤BO2345", "粤B123456", "B12345", "无牌车", ""])
def test_what_is_no_plate(line: str) -> None:
    assert decode(line.encode("gbk"), PLATES) is None


def test_a_plate_with_a_broken_byte_is_no_plate() -> None:
    whole = "粤B·D12345".encode("gbk")
    assert decode(whole[1:], PLATES) is None
    assert decode(b"\xff" + whole[2:], PLATES) is None


@pytest.mark.parametrize(
    ("pattern", "line", "value"),
    [
        ("radar", b"V=052", 52_000),
        ("radar", b"+048 km/h", 48_000),
        ("radar", b"-031.5", -31_500),
        ("radar", b"ERR", None),
        ("weighbridge", b"ST,GS,+0012340kg", 12_340_000),
        ("weighbridge", b"ST,NT,-    1.5 t", -1_500_000),
        ("weighbridge", b"US,GS,+0012340kg", None),
    ],
)
def test_numbers(pattern: str, line: bytes, value: int | None) -> None:
    reading = decode(line, section(pattern=pattern))
    assert (reading.value if reading else None) == value


def test_your_own_regex() -> None:
    own = section(regex=r"T=(?P<value>-?\d+)", scale="0.1")
    assert decode(b"T=-123", own).value == -12_300


def test_a_value_grows_old_and_an_event_does_not() -> None:
    assert section(pattern="radar").stale_s == 60
    assert section(pattern="radar", stale_after_s=5).stale_s == 5
    assert PLATES.stale_s is None


BUS = '[[bus]]\nname = "b"\nkind = "serial"\nport = "{port}"\n'
RADAR = '[[sensor]]\nid = "radar"\nkind = "serial_line"\nbus = "b"\npattern = "radar"\n'
PLATE = (
    '[[sensor]]\nid = "plates"\nkind = "serial_line"\nbus = "b"\npattern = "plate"\n'
    'encoding = "gbk"\nburst = 20\n'
)


async def opened(kept: Any, peer: SerialPeer) -> None:
    """Once a line is through, the port is open. (pyserial throws away what came before.)"""
    async with asyncio.timeout(5):
        while not kept.of("radar"):
            peer.say("V=001")
            await asyncio.sleep(0.02)


async def test_two_sensors_on_one_port_and_unplug(tmp_path: Path) -> None:
    with SerialPeer(tmp_path / "tty") as peer:
        toml = BUS.format(port=peer.link) + RADAR + PLATE
        async with running(tmp_path, toml) as kept:
            await opened(kept, peer)
            peer.say("粤B·D12345", encoding="gbk")
            first = await kept.until("plates", lambda f: f["quality"] == "good")
            assert (first["text"], first["kind"]) == ("粤BD12345", "plate")
            peer.unplug()
            await kept.until("plates", lambda f: f["quality"] == "fault")
            kept.forget()
            peer.plug()
            await kept.until("plates", lambda f: f["quality"] == "stale", within_s=3)
            peer.say("V=052")
            now = await kept.until("radar", lambda f: f["quality"] == "good")
            assert (now["value"], now["unit"]) == (52_000, "km/h")


async def test_ten_megabytes_without_an_end_cost_one_line(tmp_path: Path) -> None:
    with SerialPeer(tmp_path / "tty") as peer:
        async with running(tmp_path, BUS.format(port=peer.link) + RADAR) as kept:
            await opened(kept, peer)
            flood = asyncio.to_thread(peer.send, b"7" * 10_000_000 + b"\n")
            tracemalloc.start()
            await asyncio.wait_for(flood, 30)
            peer.say("V=052")
            await kept.until("radar", lambda f: f.get("value") == 52_000)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
    assert peak < 1_000_000


async def test_a_device_that_waits_to_be_started(tmp_path: Path) -> None:
    with SerialPeer(tmp_path / "tty") as peer:
        toml = BUS.format(port=peer.link) + RADAR + 'start = "GO\\r"\n'
        async with running(tmp_path, toml):
            assert await asyncio.to_thread(peer.heard, 3) == b"GO\r"
            peer.unplug()
            peer.plug()
            assert await asyncio.to_thread(peer.heard, 3) == b"GO\r"
