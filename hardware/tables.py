"""The board files as typed rows: the one place that opens them.

`read_pins` splits at commas exactly as the firmware does; the other tables are for people and
host programs and may quote. A cell is text until the row type makes it more.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
BOARDS = HERE / "boards"
BOX = HERE / "checkpoint_box"
BOARD_NAMES = ("lte", "devkit", "virtual")
PIN_COLUMNS = ["signal", "gpio", "direction", "pull", "active", "bus", "wake", "note"]


@dataclass(frozen=True)
class Pin:
    """One line of pins.csv."""

    signal: str
    gpio: int
    direction: str
    pull: str
    active: str
    bus: str
    wake: str
    note: str


@dataclass(frozen=True)
class Part:
    """One line of parts.csv. supply and io_mv: see `volts` for their form."""

    mpn: str
    what: str
    supply: str
    io_mv: str
    size_mm: tuple[float, float, float]
    source: str

    def supply_mv(self, pin: str) -> tuple[int, int] | None:
        """The supply range at this pin, or None where any will do (a resistor, a plug)."""
        text = by_pin(self.supply, pin)
        if text == "any":
            return None
        low, high = text.split("-")
        return int(low), int(high)

    def level_mv(self, pin: str) -> int | None:
        """The logic level of this pin, or None where any will do."""
        text = by_pin(self.io_mv, pin)
        return None if text == "any" else int(text)


def by_pin(text: str, pin: str) -> str:
    """`A:1800 B:3300` at pin `B2` is `3300`; a text without `:` holds at every pin."""
    if ":" not in text:
        return text
    for item in text.split():
        start, value = item.split(":")
        if pin.startswith(start):
            return value
    return "any"


@dataclass(frozen=True)
class Rail:
    """One supply of a board: where it comes from, between which millivolts, how many milliamps."""

    name: str
    source: str
    min_mv: int
    max_mv: int
    limit_ma: float
    parent: str
    link: str
    efficiency: float

    def input_ma(self, output_ma: float, parent_mv: float, own_mv: float) -> float:
        """What this rail takes from its parent: a path (switch, linear) passes current on."""
        if self.link == "path":
            return output_ma
        return output_ma * own_mv / (parent_mv * self.efficiency)


@dataclass(frozen=True)
class Draw:
    """One line of power.csv: what a part draws from a rail in one state."""

    part: str
    state: str
    rail: str
    typical_ma: float
    peak_ma: float
    kind: str
    source: str


@dataclass(frozen=True)
class BomLine:
    mpn: str
    qty: int
    unit_cny: float
    estimated_on: str
    alternative: str
    note: str


@dataclass(frozen=True)
class Wire:
    """One wire of wiring.yml: its label and what it joins, as (designator, pin label)."""

    label: str
    ends: tuple[tuple[str, str], tuple[str, str]]


@dataclass(frozen=True)
class Wiring:
    wires: list[Wire]
    parts: dict[str, str]  # designator -> maker's part number
    pins: dict[str, tuple[str, ...]]
    counts: dict[str, int]  # maker's part number -> pieces
    on_board: dict[str, str]  # signals wired on a bought board itself -> its pin
    extras: dict[str, list[str]]  # designator -> part numbers fitted with it


def rows(path: Path) -> list[dict[str, str]]:
    """The lines of a CSV with a header; a line with too few or too many cells is refused."""
    with path.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    for number, row in enumerate(found, start=2):
        if None in row or None in row.values():
            raise ValueError(f"{path.name} line {number}: the number of cells is not the header's")
    return found


def read_pins(board: str) -> list[Pin]:
    """pins.csv by the firmware's own rule: split at commas, no quoting."""
    lines = (BOARDS / board / "pins.csv").read_text(encoding="utf-8").splitlines()
    if lines[0].split(",") != PIN_COLUMNS:
        raise ValueError(f"{board}/pins.csv line 1: the columns must be {','.join(PIN_COLUMNS)}")
    pins: list[Pin] = []
    for number, line in enumerate(lines[1:], start=2):
        cells = line.split(",")
        if len(cells) != len(PIN_COLUMNS):
            raise ValueError(
                f"{board}/pins.csv line {number}: {len(cells)} cells, {len(PIN_COLUMNS)} wanted"
            )
        pins.append(Pin(cells[0], int(cells[1]), *cells[2:]))
    return pins


def read_parts() -> dict[str, Part]:
    parts: dict[str, Part] = {}
    for row in rows(HERE / "parts.csv"):
        size = (float(row["length_mm"]), float(row["width_mm"]), float(row["height_mm"]))
        source = f"{row['kind']}: {row['source']}"
        parts[row["mpn"]] = Part(row["mpn"], row["what"], row["supply"], row["io_mv"], size, source)
    return parts


def read_rails(folder: Path) -> dict[str, Rail]:
    return {
        row["rail"]: Rail(
            row["rail"],
            row["source"],
            int(row["min_mv"]),
            int(row["max_mv"]),
            float(row["limit_ma"]),
            row["from"],
            row["link"],
            float(row["efficiency"] or 1),
        )
        for row in rows(folder / "rails.csv")
    }


def read_power(folder: Path) -> list[Draw]:
    return [
        Draw(
            row["part"],
            row["state"],
            row["rail"],
            float(row["typical_ma"]),
            float(row["peak_ma"]),
            row["kind"],
            row["source"],
        )
        for row in rows(folder / "power.csv")
    ]


def read_bom(folder: Path) -> list[BomLine]:
    return [
        BomLine(
            row["mpn"],
            int(row["qty"]),
            float(row["unit_cny"]),
            row["estimated_on"],
            row["alternative"],
            row["note"],
        )
        for row in rows(folder / "bom.csv")
    ]


def read_wiring(folder: Path) -> Wiring:
    """All wiring*.yml of a folder as WireViz understands them, reduced to what the checks ask.

    A designator that stands in two drawings is one part, with the pins of both.
    """
    found = Wiring([], {}, {}, {}, {}, {})
    for path in wiring_files(folder):
        _read_drawing(yaml.safe_load(path.read_text(encoding="utf-8")), found)
    return found


def wiring_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("wiring*.yml"))


def _read_drawing(data: dict[str, Any], into: Wiring) -> None:
    def count(mpn: str, pieces: int) -> None:
        into.counts[mpn] = into.counts.get(mpn, 0) + pieces

    for name, connector in data["connectors"].items():
        if name not in into.parts:
            count(connector["mpn"], 1)
        elif into.parts[name] != connector["mpn"]:
            raise ValueError(f"wiring: {name} is {into.parts[name]} and {connector['mpn']}; choose")
        into.parts[name] = connector["mpn"]
        labels = tuple(str(label) for label in connector["pinlabels"])
        into.pins[name] = into.pins.get(name, ()) + labels
        for extra in connector.get("additional_components", ()):
            count(extra["mpn"], int(extra["qty"]))
            into.extras.setdefault(name, []).append(extra["mpn"])
    for cable in data["cables"].values():
        if "mpn" in cable:
            count(cable["mpn"], 1)
    for item in data.get("additional_bom_items", ()):
        count(item["mpn"], int(item["qty"]))
    for left, middle, right in data["connections"]:
        (name_l, pins_l), (cable, numbers), (name_r, pins_r) = (
            next(iter(side.items())) for side in (left, middle, right)
        )
        labels = data["cables"][cable]["wirelabels"]
        for pin_l, number, pin_r in zip(pins_l, numbers, pins_r, strict=True):
            ends = ((name_l, str(pin_l)), (name_r, str(pin_r)))
            into.wires.append(Wire(str(labels[number - 1]), ends))
    into.on_board.update(data.get("on_board", {}))


def gpio_of(pin_label: str) -> int | None:
    """`IO33` is 33; any other label is no GPIO."""
    match = re.fullmatch(r"IO(\d+)", pin_label)
    return int(match[1]) if match else None
