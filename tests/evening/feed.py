"""NMEA into a unit: a generated walk, a recorded log, or a real receiver."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import serial

from edge_agent.county.patrolctl import Asked
from tests.fakes import routes
from tests.fakes.unit_process import UnitProcess


def generated(
    points: Sequence[tuple[int, int]], speed: routes.How = routes.WALK
) -> Iterator[bytes]:
    """A second's sentences each: round and round along `points` (1e-7 degree), from now."""
    waypoints = [(lat / 1e7, lon / 1e7) for lat, lon in points]
    while True:
        for _truth, sentences in routes.generate(waypoints, start_s=int(time.time()), how=speed):
            yield "".join(sentences).encode()


def recorded(log: Path) -> Iterator[bytes]:
    """A second's sentences each, over and over; all else in the log goes along. Asked: no log."""
    try:
        lines = log.read_bytes().splitlines(keepends=True)
    except OSError as error:
        raise Asked(f"{log}: {error.strerror}: give the path of an NMEA log") from None
    if not any(line.startswith(b"$") and line[3:6] == b"RMC" for line in lines):
        raise Asked(f"{log}: no RMC sentence in it: give a log of NMEA 0183")
    return _seconds(lines)


def _seconds(lines: list[bytes]) -> Iterator[bytes]:
    second: list[bytes] = []
    while True:
        for line in lines:
            if line[3:6] == b"RMC" and second:
                yield b"".join(second)
                second = []
            second.append(line)


async def feed(unit: UnitProcess, seconds: Iterator[bytes]) -> None:
    """Hand the unit one second's sentences each second, for ever; its UART paces the bytes."""
    due = time.monotonic()
    for sentences in seconds:
        unit.feed(sentences)
        due += 1.0
        await asyncio.sleep(max(0.0, due - time.monotonic()))


def open_receiver(port: str) -> serial.Serial:
    """A real receiver at 9600 baud. Asked: it cannot be opened."""
    try:
        return serial.Serial(port, 9600, timeout=0.5)
    except serial.SerialException as error:
        raise Asked(f"{port}: {error}: plug the receiver in, or give another port") from None


async def relay(device: serial.Serial, units: Sequence[UnitProcess]) -> None:
    """A real receiver's bytes into every unit, as they come."""
    with device:
        while True:
            data = await asyncio.to_thread(device.read, 256)
            for unit in units:
                unit.feed(data)
