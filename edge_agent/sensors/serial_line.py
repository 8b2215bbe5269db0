"""kind = "serial_line": one reading per line that a device prints.

Several sensors may listen to one port, each with its own pattern.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from edge_agent.buses import Buses
from edge_agent.buses.port import BusFault, PortGone
from edge_agent.section import Slug
from edge_agent.sensors.patterns import PATTERNS, Pattern
from edge_agent.sensors.reading import Emit, Reading
from edge_agent.sensors.section import SensorSection

FOREIGN = 5  # so many lines in a row that fit no pattern are a fault: wrong speed, wrong device
VALUE_S = 60.0
SEPARATORS = str.maketrans("", "", "·•.- ")


class SerialLineSection(SensorSection):
    """[[sensor]] kind = "serial_line"."""

    hangs_on: ClassVar[tuple[str, ...]] = ("serial",)
    kind: Literal["serial_line"]
    bus: Slug
    pattern: str = Field("", description=f"a ready one: {', '.join(PATTERNS)}")
    regex: str = Field("", description="your own, with a group (?P<value>…) or (?P<text>…)")
    encoding: Literal["ascii", "utf-8", "gbk"] = "utf-8"
    scale: Decimal = Decimal(1)
    event: bool = Field(False, description="for your own regex: every line stands for itself")
    start: str = Field("", description="sent when the port opens, for devices that wait for it")

    @field_validator("pattern")
    @classmethod
    def _is_known(cls, pattern: str) -> str:
        if pattern and pattern not in PATTERNS:
            names = ", ".join(PATTERNS)
            raise ValueError(f"没有 {pattern} 这种格式，可用 / no pattern {pattern}; use: {names}")
        return pattern

    @field_validator("regex")
    @classmethod
    def _compiles(cls, regex: str) -> str:
        try:
            groups = re.compile(regex).groupindex
        except re.error as exc:
            raise ValueError(f"正则表达式有误 / not a regular expression: {exc}") from exc
        if regex and not groups.keys() & {"value", "text"}:
            raise ValueError("缺少 (?P<value>…) / the regex needs (?P<value>…) or (?P<text>…)")
        return regex

    @model_validator(mode="after")
    def _has_one(self) -> SerialLineSection:
        if bool(self.pattern) == bool(self.regex):
            raise ValueError("pattern 与 regex 二选一 / give either pattern or regex")
        return self

    @property
    def told_as(self) -> tuple[str, str]:
        return self.measures or self.row.measures, self.unit or self.row.unit

    @property
    def stale_s(self) -> float | None:
        """A value that nobody repeats grows old; an event was, and stays, what it was."""
        return self.stale_after_s or (None if self.row.event else VALUE_S)

    @property
    def row(self) -> Pattern:
        if self.pattern:
            return PATTERNS[self.pattern]
        return Pattern("", "", re.compile(self.regex), "line", self.unit, self.event)


def decode(line: bytes, section: SerialLineSection) -> Reading | None:
    """One line -> a reading, or None if it is none. Bytes that are no text are replaced: a plate
    with one bad byte does not match and is counted, it is never half a plate."""
    row = section.row
    found = row.regex.search(line.decode(section.encoding, "replace"))
    if found is None:
        return None
    groups = found.groupdict()
    if text := groups.get("text"):
        if row.measures == "plate":
            text = text.translate(SEPARATORS)
        return Reading(text=text[:200], event=row.event)
    try:
        number = Decimal(groups["value"].replace(" ", ""))
    except (InvalidOperation, KeyError, AttributeError):
        return None
    factor = 1000 if groups.get("unit") == "t" and row.unit == "kg" else 1
    return Reading(int((number * section.scale * factor * 1000).to_integral_value()))


async def run(section: SerialLineSection, buses: Buses, emit: Emit) -> None:
    """Listen for ever."""
    bus = buses.serial(section.bus)
    foreign = 0

    def heard(item: bytes | BusFault | None) -> None:
        nonlocal foreign
        if isinstance(item, BusFault):
            emit(Reading(problem=str(item)))
        elif item is None:
            foreign = 0
            emit(Reading())
            if section.start:
                with suppress(PortGone):  # gone again at once: the bus tells it
                    bus.write(section.start.encode())
        elif reading := decode(item, section):
            foreign = 0
            emit(reading)
        elif item.strip():
            foreign += 1
            if foreign == FOREIGN:
                shown = ascii(item[:24])
                emit(
                    Reading(
                        problem=f"连续 {FOREIGN} 行无法识别，检查波特率和型号"
                        f" / {FOREIGN} lines fit no pattern, check baud and pattern: {shown}"
                    )
                )

    stop = bus.listen(heard)
    try:
        await asyncio.Event().wait()
    finally:
        stop()
