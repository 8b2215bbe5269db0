"""kind = "gpio": a relay on a GPIO line (siren, lamp, barrier).

The line is requested with its failsafe level, so that it never glitches through the other one, and
held for as long as the agent runs: a released line falls back to whatever the pull resistor says,
which is why a relay board's input needs its own resistor towards off.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import gpiod
from gpiod.line import Direction, Value
from pydantic import Field

from edge_agent.buses import Buses
from edge_agent.buses.gpio import Request
from edge_agent.outputs.section import OutputSection
from edge_agent.section import Slug


class GpioOutputSection(OutputSection):
    """[[output]] kind = "gpio"."""

    hangs_on: ClassVar[tuple[str, ...]] = ("gpio",)
    kind: Literal["gpio"]
    bus: Slug
    line: int = Field(ge=0, le=512, description="GPIO number, not the pin of the header")
    active_low: bool = Field(False, description="true for relay boards that switch on at 0 V")


class GpioDrive:
    """Asks for its line when it is first needed, and again after the chip was lost."""

    momentary = False

    def __init__(self, section: GpioOutputSection, buses: Buses) -> None:
        self._section = section
        self._bus = buses.gpio(section.bus)
        self._request: Request | None = None

    def set(self, on: bool) -> None:
        """Raises PortGone or OSError with the reason."""
        value = Value.ACTIVE if on else Value.INACTIVE
        if self._request is None:
            settings = gpiod.LineSettings(
                direction=Direction.OUTPUT,
                active_low=self._section.active_low,
                output_value=value,
            )
            self._request = self._bus.request(self._section.line, settings)
            return
        try:
            self._request.set_value(self._section.line, value)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        if self._request is not None:
            self._request.release()
            self._request = None
