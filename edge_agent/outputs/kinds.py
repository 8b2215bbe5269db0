"""What can drive an output. A new kind is one file beside these and one row here."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from edge_agent.outputs import announce, barrier, file, gpio
from edge_agent.outputs.section import OutputSection


class Drive(Protocol):
    """Switches one thing, at once; raises OSError or BusFault with the reason."""

    momentary: bool  # a press, not a state: it is not renewed

    def set(self, on: bool) -> None: ...
    def close(self) -> None: ...


class Kind(NamedTuple):
    section: type[OutputSection]
    drive: Any  # (section, buses) -> Drive


KINDS: dict[str, Kind] = {
    "file": Kind(file.FileSection, file.FileDrive),
    "gpio": Kind(gpio.GpioOutputSection, gpio.GpioDrive),
    "barrier": Kind(barrier.BarrierSection, barrier.BarrierDrive),
    "announce": Kind(announce.AnnounceSection, announce.AnnounceDrive),
}


def kind_of(section: OutputSection) -> Kind:
    return next(kind for kind in KINDS.values() if type(section) is kind.section)
