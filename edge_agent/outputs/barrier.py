"""kind = "barrier": a boom gate's controller, pressed like its own push buttons.

Such controllers take a short contact on "open" and one on "close", and stop the arm themselves
(loop detector, clutch). Both lines are never on together. What became of it is a sensor's to say:
the arm's limit switch, not the wish.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from edge_agent.buses import Buses
from edge_agent.outputs.gpio import GpioDrive, GpioOutputSection
from edge_agent.outputs.section import OutputSection
from edge_agent.section import Slug


class BarrierSection(OutputSection):
    """[[output]] kind = "barrier"."""

    hangs_on: ClassVar[tuple[str, ...]] = ("gpio",)
    kind: Literal["barrier"]
    bus: Slug
    open_line: int = Field(ge=0, le=512, description="GPIO number of the relay on OPEN")
    close_line: int = Field(ge=0, le=512, description="GPIO number of the relay on CLOSE")
    pulse_s: float = Field(0.5, ge=0.05, le=10, description="how long a button is pressed")
    active_low: bool = False
    # Nothing is pressed when the agent starts or stops: nobody has looked under the arm.
    failsafe: Literal["off", "on", "keep"] = "keep"

    @model_validator(mode="after")
    def _two_lines(self) -> BarrierSection:
        if self.open_line == self.close_line:
            raise ValueError(
                "open_line 与 close_line 不能相同 / open_line and close_line must differ"
            )
        return self


class BarrierDrive:
    """Presses one button for pulse_s."""

    momentary = True

    def __init__(self, section: BarrierSection, buses: Buses) -> None:
        def line(number: int) -> GpioDrive:
            keys = {"kind": "gpio", "id": section.id, "bus": section.bus, "line": number}
            return GpioDrive(
                GpioOutputSection.model_validate({**keys, "active_low": section.active_low}), buses
            )

        self._pulse_s = section.pulse_s
        self._open, self._close = line(section.open_line), line(section.close_line)
        self._timer: asyncio.TimerHandle | None = None

    def set(self, on: bool) -> None:
        """True opens, False closes. Raises BusFault or OSError."""
        if self._timer:
            self._timer.cancel()
        pressed, other = (self._open, self._close) if on else (self._close, self._open)
        other.set(False)
        pressed.set(True)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._pulse_s, pressed.set, False)

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()
        for button in (self._open, self._close):
            button.close()
