"""The checkpoint's own receiver: decode, then the kind on a pty."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from pathlib import Path

import pynmea2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.sensors.nmea import decode, degrees7, metres
from edge_agent.sensors.reading import Fix
from tests.edge_agent.sensors.rig import running
from tests.fakes.serial_peer import SerialPeer

LOGS = Path(__file__).parents[4] / "shared" / "data" / "nmea"


def rmc(lat: str = "3114.8821", lon: str = "12135.2428", status: str = "A", **more: str) -> bytes:
    row = {"time": "172600.00", "date": "211126", "ns": "N", "ew": "E", "mode": "A", **more}
    body = (
        f"GNRMC,{row['time']},{status},{lat},{row['ns']},{lon},{row['ew']},0.1,90.0,{row['date']}"
        f",,,{row['mode']}"
    )
    return f"${body}*{pynmea2.NMEASentence.checksum(body):02X}".encode()


def test_place_and_time() -> None:
    assert decode(rmc()) == Fix(312480350, 1215873800, 1795281960)
    assert decode(rmc(ns="S", ew="W")) == Fix(-312480350, -1215873800, 1795281960)
    assert decode(b"\x00garbage$GPGGA,1" + rmc()) == decode(rmc())


@given(st.integers(0, 90 * 10**7 - 1))
def test_degrees_are_exact_to_the_last_digit(value: int) -> None:
    degrees, rest = divmod(value, 10**7)
    minutes = Decimal(rest) * 60 / 10**7
    text = f"{degrees:02d}{minutes:012.9f}"
    assert degrees7(text, "N") == value


@pytest.mark.parametrize(
    "bad",
    [
        rmc(status="V"),
        rmc(mode="N"),
        rmc(mode="E"),
        rmc(mode="S"),
        rmc(lat=""),
        rmc(lat="3160.0000"),
        rmc(lat="9100.0000"),
        rmc(date="320126"),
        rmc(date=""),
        rmc(time="17"),
    ],
)
def test_what_is_no_fix(bad: bytes) -> None:
    assert decode(bad) is None


def test_a_wrong_or_missing_checksum_raises() -> None:
    for bad in (rmc()[:-2] + b"00", rmc()[:-3], rmc()[:-3] + b"*ZZ", b"", b"$", b"\xff\xfe"):
        with pytest.raises(pynmea2.ParseError):
            decode(bad)


@given(st.binary(max_size=90))
def test_no_bytes_raise_anything_else(junk: bytes) -> None:
    for line in (junk, b"$GPRMC," + junk, rmc()[:20] + junk):
        try:
            decode(line)
        except pynmea2.ParseError:
            continue


def test_distance() -> None:
    here = Fix(312480350, 1215873800, 0)
    assert metres(here, here._replace(lat7=here.lat7 + 9000)) == pytest.approx(100.07, rel=0.01)
    assert metres(here, here._replace(lon7=here.lon7 + 9000)) == pytest.approx(85.6, rel=0.01)


def log_errors(log: Path) -> list[float]:
    """How far each fix of a real log lies from what gpsd decoded at that second, in 1e-7 degree."""
    told: dict[int, list[list[float]]] = {}
    for row in map(json.loads, log.with_suffix(".fixes.jsonl").read_text().splitlines()):
        told.setdefault(row["utc_ms_of_day"] // 1000, []).extend(row["positions"])
    errors: list[float] = []
    for line in log.read_bytes().splitlines():
        try:
            fix = decode(line)
        except pynmea2.ParseError:
            continue
        if fix and (places := told.get(fix.unix_s % 86400)):
            errors.append(
                min(max(abs(fix.lat7 - a * 1e7), abs(fix.lon7 - b * 1e7)) for a, b in places)
            )
    return errors


def test_logs(tmp_path: Path) -> None:
    """Our own log always; gpsd's recordings of real receivers too, where they are at hand."""
    own = tmp_path / "own.log"
    own.write_bytes(b"\n".join([b"$GPGSV,3,1", rmc(), rmc(status="V"), rmc()[:-1] + b"?"]))
    expected = {"utc_ms_of_day": 62760000, "positions": [[31.248035, 121.58738]]}
    own.with_suffix(".fixes.jsonl").write_text(json.dumps(expected))
    assert log_errors(own) == [0]
    for log in sorted(LOGS.glob("*.log")):
        assert max(log_errors(log)) <= 1, log


TOML = """
[[bus]]
name = "gps"
kind = "serial"
port = "{port}"

[[sensor]]
id = "place"
kind = "nmea"
bus = "gps"
"""


async def test_told_once_until_it_moves(tmp_path: Path) -> None:
    fixes: list[Fix] = []
    with SerialPeer(tmp_path / "tty") as peer:
        toml = TOML.format(port=peer.link)
        async with running(tmp_path, toml, on_fix=fixes.append) as kept:
            async with asyncio.timeout(5):
                while not kept.all:
                    peer.send(rmc() + b"\r\n")
                    await asyncio.sleep(0.02)
            assert kept.of("place")[0]["text"] == "31.2480350,121.5873800"
            for step in range(1, 30):  # 30 m north in steps of 1 m, with one broken line each
                peer.send(b"$GPRMC,broken*00\r\n")
                peer.send(rmc(lat=f"3114.{8821 + 6 * step:04d}") + b"\r\n")
            moved = await kept.until("place", lambda f: f["text"] != "31.2480350,121.5873800")
            assert moved["kind"] == "place"
    assert len(kept.of("place")) == 2
    assert fixes[0].unix_s == 1795281960


async def test_a_week_rollover_is_no_time(tmp_path: Path) -> None:
    with SerialPeer(tmp_path / "tty") as peer:
        async with running(tmp_path, TOML.format(port=peer.link)) as kept:
            for _ in range(20):
                peer.send(rmc(date="080407") + b"\r\n")  # 2007: 1024 weeks back
                await asyncio.sleep(0.02)
            assert not kept.all
