"""A GPIO chip through gpiod v2 (character device: works on a Pi 5, needs no root).

The seam for tests is `open_chip`: gpiod.Chip, or tests/fakes/gpio_chip.py with the same methods.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from typing import Any, Protocol

import gpiod

from edge_agent.buses.port import REOPEN_S, PortGone
from edge_agent.buses.section import GpioSection

CONSUMER = "checkpoint-agent"  # shown by gpioinfo
EVENTS = 256  # edges the kernel keeps while we are busy; the default of 16 is one chatter


class Request(Protocol):
    """What of gpiod.LineRequest is used."""

    @property
    def fd(self) -> int: ...
    def get_value(self, line: int) -> gpiod.line.Value: ...
    def set_value(self, line: int, value: gpiod.line.Value) -> object: ...
    def wait_edge_events(self, timeout: float | None = None) -> bool: ...
    def read_edge_events(self, max_events: int | None = None) -> list[Any]: ...
    def release(self) -> None: ...


class GpioBus:
    """One chip. Lines are requested one by one, so that one taken line spoils no other."""

    def __init__(self, section: GpioSection, open_chip: Callable[[str], Any] = gpiod.Chip) -> None:
        self.section = section
        self.name = section.name
        self._open_chip = open_chip

    def request(self, line: int, settings: gpiod.LineSettings) -> Request:
        """Raises PortGone with the reason and the remedy."""
        path = self.section.chip
        try:
            with self._open_chip(path) as chip:
                return chip.request_lines(
                    {line: settings}, consumer=CONSUMER, event_buffer_size=EVENTS
                )
        except (OSError, ValueError) as exc:
            raise PortGone(_says(path, line, exc)) from exc

    async def requested(self, line: int, settings: gpiod.LineSettings) -> Request:
        """The same, waiting until it can be had."""
        while True:
            try:
                return self.request(line, settings)
            except PortGone:
                await asyncio.sleep(REOPEN_S)

    async def run(self) -> None:
        """Nothing to keep open: every request holds its own line."""
        await asyncio.Event().wait()


def _says(path: str, line: int, exc: OSError | ValueError) -> str:
    number = exc.errno if isinstance(exc, OSError) else errno.EINVAL
    match number:
        case errno.ENOENT:
            return f"没有 {path} / no chip {path}: see gpiodetect for the chips there are"
        case errno.EACCES | errno.EPERM:
            return f"没有权限打开 {path} / no right to open {path}: sudo usermod -aG gpio $USER"
        case errno.EBUSY:
            return f"{path} 的 {line} 线被占用 / line {line} of {path} is taken: see gpioinfo"
        case _:
            return f"{path} 的 {line} 线不可用 / line {line} of {path} cannot be used: {exc}"
