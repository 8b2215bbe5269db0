"""kind = "gpio": a contact (door, barrier arm, smoke relay), or pulses counted (rain, axles).

The kernel debounces and stamps each edge with the wall clock, so a reading's time is that of the
edge, however busy we are.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar, Literal

import gpiod
from gpiod.line import Bias, Clock, Direction, Edge, Value
from pydantic import Field

from edge_agent.buses import Buses
from edge_agent.buses.gpio import GpioBus, Request
from edge_agent.buses.port import PortGone
from edge_agent.section import Slug
from edge_agent.sensors.reading import Emit, Reading
from edge_agent.sensors.section import PolledSection

BIAS = {"none": Bias.DISABLED, "up": Bias.PULL_UP, "down": Bias.PULL_DOWN}


class GpioSensorSection(PolledSection):
    """[[sensor]] kind = "gpio"."""

    hangs_on: ClassVar[tuple[str, ...]] = ("gpio",)
    kind: Literal["gpio"]
    bus: Slug
    line: int = Field(ge=0, le=512, description="GPIO number, not the pin of the header")
    mode: Literal["contact", "pulse"] = "contact"
    pull: Literal["none", "up", "down"] = "up"
    active_low: bool = Field(True, description="true: on when the contact connects to ground")
    debounce_ms: int = Field(20, ge=0, le=5000)
    per_pulse: Decimal = Field(Decimal(1), description="unit per pulse, e.g. 0.2 mm of rain")
    every_s: float = Field(
        60, ge=0.02, le=3600, description="contact: looked at again; pulse: told"
    )

    @property
    def settings(self) -> gpiod.LineSettings:
        return gpiod.LineSettings(
            direction=Direction.INPUT,
            edge_detection=Edge.RISING if self.mode == "pulse" else Edge.BOTH,
            bias=BIAS[self.pull],
            active_low=self.active_low,
            debounce_period=timedelta(milliseconds=self.debounce_ms),
            event_clock=Clock.REALTIME,
        )


async def run(section: GpioSensorSection, buses: Buses, emit: Emit) -> None:
    """For ever; a line that cannot be had is a problem until it can."""
    bus = buses.gpio(section.bus)
    while True:
        request = await _requested(bus, section, emit)
        try:
            await (_pulses if section.mode == "pulse" else _contact)(section, request, emit)
        except OSError as exc:  # the chip went away: a USB expander was pulled out
            emit(Reading(problem=f"GPIO 读取失败 / GPIO line {section.line} is lost: {exc}"))
        finally:
            request.release()


async def _requested(bus: GpioBus, section: GpioSensorSection, emit: Emit) -> Request:
    try:
        return bus.request(section.line, section.settings)
    except PortGone as exc:
        emit(Reading(problem=str(exc)))
        return await bus.requested(section.line, section.settings)


async def _contact(section: GpioSensorSection, request: Request, emit: Emit) -> None:
    with _readable(request.fd) as ready:
        while True:
            # Looked at again, so that a reading ages even where nothing moves.
            emit(Reading(1000 * (request.get_value(section.line) is Value.ACTIVE)))
            async for event in _edges(request, ready, section.every_s):
                on = event.event_type is event.Type.RISING_EDGE
                emit(Reading(1000 * on, at=event.timestamp_ns / 1e9))


async def _pulses(section: GpioSensorSection, request: Request, emit: Emit) -> None:
    count = 0
    with _readable(request.fd) as ready:
        while True:
            emit(Reading(int(count * section.per_pulse * 1000)))
            async for event in _edges(request, ready, section.every_s):
                count = event.line_seqno  # counts also what the kernel's buffer could not keep


async def _edges(request: Request, ready: asyncio.Event, for_s: float) -> AsyncIterator[Any]:
    until = asyncio.get_running_loop().time() + for_s
    while True:
        try:
            async with asyncio.timeout_at(until):  # wait_for of 3.11 can swallow a cancellation
                await ready.wait()
        except TimeoutError:
            return
        ready.clear()
        if not request.wait_edge_events(0):
            continue  # read_edge_events would block the loop, and `ready` may be set once too often
        for event in request.read_edge_events():
            yield event


@contextmanager
def _readable(descriptor: int) -> Generator[asyncio.Event]:
    ready = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(descriptor, ready.set)
    try:
        yield ready
    finally:
        loop.remove_reader(descriptor)
