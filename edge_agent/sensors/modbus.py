"""kind = "modbus": one value in the registers of a slave, RTU or TCP alike.

Either a ready map names it (`map` and `point`, see modbus_maps.py), or the data sheet's own terms
do: function, address, type, word_order, scale …
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from edge_agent.buses import Buses
from edge_agent.buses.modbus import BITS, NoAnswer
from edge_agent.buses.port import BusFault, PortGone
from edge_agent.section import Slug
from edge_agent.sensors.modbus_maps import MAPS
from edge_agent.sensors.poll import every
from edge_agent.sensors.reading import Emit, Reading
from edge_agent.sensors.registers import WORDS, Layout, NoValue, Type, decode
from edge_agent.sensors.section import PolledSection

MISSES = 2  # one lost frame is noise; two in a row are a fault


class ModbusSection(PolledSection):
    """[[sensor]] kind = "modbus"."""

    hangs_on: ClassVar[tuple[str, ...]] = ("modbus", "modbus_tcp")
    kind: Literal["modbus"]
    bus: Slug
    slave: int = Field(1, ge=0, le=247, description="address on the line")
    map: str = Field("", description="a ready register map; then give its point")
    point: str = Field("", description="which value of the map")
    function: Literal[1, 2, 3, 4] = Field(
        3, description="1 coils, 2 discrete inputs, 3 holding registers, 4 input registers"
    )
    address: int = Field(
        0, ge=0, le=65535, description="from 0, as in the request: 40001 in a manual is 0 here"
    )
    type: Type = "uint16"
    word_order: Literal["big", "little"] = "big"
    byte_order: Literal["big", "little"] = "big"
    bit: Annotated[int, Field(ge=0, le=15)] = 0
    scale: Decimal = Decimal(1)
    offset: Decimal = Decimal(0)
    invalid: tuple[int, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _fill_in_from_map(cls, given: Any) -> Any:
        """What the map says, unless the table says it."""
        if not isinstance(given, dict) or "map" not in given:
            return given
        name, point = given["map"], given.get("point")
        known = MAPS.get(name)
        if known is None:
            names = ", ".join(MAPS)
            raise ValueError(f"没有 {name} 这种表，可用 / no map {name}; there are: {names}")
        if point not in known.points:
            names = ", ".join(known.points)
            raise ValueError(f"表 {name} 的 point 应为 / map {name} has the points: {names}")
        return {"measures": point, **known.points[point], **given}

    @model_validator(mode="after")
    def _bits_have_no_type(self) -> ModbusSection:
        if self.function in BITS and self.type not in ("bit", "uint16"):
            raise ValueError(
                f"function {self.function} 读的是位，删去 type"
                f" / function {self.function} reads bits: leave type out"
            )
        return self

    @property
    def layout(self) -> Layout:
        return Layout(**{name: getattr(self, name) for name in Layout.model_fields})


def value_of(section: ModbusSection, cells: list[int]) -> int:
    """What the slave answered -> 1e-3 unit. Raises NoValue."""
    if section.function in BITS:
        return 1000 * cells[0]
    return decode(cells, section.layout)


async def run(section: ModbusSection, buses: Buses, emit: Emit) -> None:
    """Ask for ever. What it hears is emitted; a silent slave after MISSES misses."""
    bus = buses.modbus(section.bus)
    count = 1 if section.function in BITS else WORDS[section.type]
    async for _ in every(section.every_s):
        try:
            cells = await bus.read(section.slave, section.function, section.address, count)
            emit(Reading(value_of(section, cells)))
        except NoAnswer as exc:
            if exc.failures >= MISSES:
                emit(Reading(problem=str(exc)))
        except PortGone as exc:
            emit(Reading(problem=str(exc)))
            await bus.up.wait()
        except (BusFault, NoValue) as exc:
            emit(Reading(problem=str(exc)))
