"""A board with all its tables: what a rule is given."""

from __future__ import annotations

from dataclasses import dataclass

from hardware.tables import (
    BOARDS,
    BomLine,
    Draw,
    Part,
    Pin,
    Rail,
    Wiring,
    read_bom,
    read_parts,
    read_pins,
    read_power,
    read_rails,
    read_wiring,
)


@dataclass(frozen=True)
class Board:
    name: str
    pins: list[Pin]
    wiring: Wiring
    bom: list[BomLine]
    rails: dict[str, Rail]
    power: list[Draw]
    parts: dict[str, Part]

    @property
    def has_psram(self) -> bool:
        return any("WROVER" in mpn for mpn in self.wiring.parts.values())

    @property
    def is_real(self) -> bool:
        return self.name != "virtual"


def load(name: str) -> Board:
    folder = BOARDS / name
    return Board(
        name,
        read_pins(name),
        read_wiring(folder),
        read_bom(folder),
        read_rails(folder),
        read_power(folder),
        read_parts(),
    )
