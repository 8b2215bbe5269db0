"""The rules of the checkpoint box: supplies, buses, bays, contacts, earth."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from edge_agent.docks.config import Bay
from edge_agent.sensors.modbus_maps import MAPS
from hardware import nets, orders, supply
from hardware.tables import (
    BOX,
    BomLine,
    Draw,
    Rail,
    Wiring,
    read_bom,
    read_power,
    read_rails,
    read_wiring,
    rows,
)

BAYS = 8
HEADER = range(2, 28)  # BCM lines on the 40-pin header
TAKEN = {2: "I2C", 3: "I2C", 14: "console", 15: "console"}
TERMINATOR = "RES-120-0.5W"
BIAS = "RES-680-0.5W"
ADAPTERS = {"rs485-a": "U485A", "rs485-b": "U485B"}
UNIT_LOADS = 32  # of a plain RS-485 driver: TIA-485
BATTERY_AH = 24.0
BATTERY_USABLE = 0.6  # VRLA in its third year, in the cold, at C/10: estimate
HOLD_H = 4.0  # a county repair crew's time on the road


@dataclass(frozen=True)
class Box:
    wiring: Wiring
    bom: list[BomLine]
    rails: dict[str, Rail]
    power: list[Draw]
    bays: list[dict[str, str]]
    gpio: list[dict[str, str]]
    addresses: list[dict[str, str]]


def load() -> Box:
    return Box(
        read_wiring(BOX),
        read_bom(BOX),
        read_rails(BOX),
        read_power(BOX),
        rows(BOX / "bays.csv"),
        rows(BOX / "gpio.csv"),
        rows(BOX / "addresses.csv"),
    )


def ordered(box: Box) -> Iterator[str]:
    yield from orders.faults(box.bom, box.wiring)


def nets_whole(box: Box) -> Iterator[str]:
    yield from nets.faults(box.wiring)


def rails_hold(box: Box) -> Iterator[str]:
    yield from supply.faults(box.rails, box.power)


def hold_hours(box: Box) -> float:
    """How long the battery carries the box with its usual load and no mains."""
    rail = box.rails["12V"]
    volts_mv = 12_300  # mean of a lead battery's discharge
    total = 0.0
    for draw in box.power:
        own = box.rails[draw.rail]
        if own is rail:
            total += draw.typical_ma
        else:
            total += own.input_ma(draw.typical_ma, volts_mv, own.max_mv)
    return BATTERY_AH * 1000 * BATTERY_USABLE / total


def holds(box: Box) -> Iterator[str]:
    hours = hold_hours(box)
    if hours < HOLD_H:
        yield f"the battery carries the box {hours:.1f} h; {HOLD_H} wanted: a larger battery"


def contacts(box: Box) -> Iterator[str]:
    lines: dict[int, str] = {}
    for row in box.gpio:
        line, name = int(row["line"]), row["name"]
        if line not in HEADER:
            yield f"gpio.csv: {name}: GPIO {line} is not on the header"
        elif line in TAKEN:
            yield f"gpio.csv: {name}: GPIO {line} belongs to the {TAKEN[line]}"
        if line in lines:
            yield f"gpio.csv: GPIO {line} is both {lines[line]} and {name}"
        lines[line] = name
        if row["direction"] == "out" and row["rests_at"] == row["active"]:
            yield f"gpio.csv: {name} would be on while the Pi boots; turn it over"
    drawn: dict[int, str] = {}
    for wire in box.wiring.wires:
        for part, label in wire.ends:
            found = re.fullmatch(r"GPIO(\d+)", label)
            if part == "PI" and found:
                drawn[int(found[1])] = wire.label
    if drawn != lines:
        odd = sorted(set(drawn.items()) ^ set(lines.items()))
        yield f"gpio.csv and the wiring differ at {odd}"


def bays(box: Box) -> Iterator[str]:
    numbers = [int(row["bay"]) for row in box.bays]
    if sorted(numbers) != list(range(1, BAYS + 1)):
        yield f"bays.csv: bays 1 to {BAYS}, each once"
    paths = [row["path"] for row in box.bays]
    if len(set(paths)) != len(paths):
        yield "bays.csv: two bays with one USB path"
    wired = {wire.label: wire.ends[0] for wire in box.wiring.wires}
    roots: dict[str, set[str]] = {}
    for row in box.bays:
        try:
            Bay(number=int(row["bay"]), path=row["path"])
        except ValidationError as error:
            yield f"bays.csv: the agent refuses bay {row['bay']}: {error.errors()[0]['msg']}"
        if wired.get(f"bay_{row['bay']}") != (row["hub"], row["port"]):
            yield f"bays.csv: bay {row['bay']} is not wired to {row['hub']} {row['port']}"
        if not row["path"].endswith("." + row["port"].removeprefix("P")):
            yield f"bays.csv: bay {row['bay']}: path {row['path']} is not port {row['port']}"
        roots.setdefault(row["hub"], set()).add(row["path"].rpartition(".")[0])
    for hub, found in roots.items():
        if len(found) != 1:
            yield f"bays.csv: {hub} cannot be at {sorted(found)} at once"


def bus_ends(box: Box, adapter: str) -> tuple[set[str], set[str]]:
    """(all parts on the bus of this adapter, those at its two ends).

    A line arrester is a through connection: its A_IN and A_OUT are one point of the bus.
    """
    links: dict[str, set[str]] = {}
    for wire in box.wiring.wires:
        if wire.label == "A":
            left, right = wire.ends[0][0], wire.ends[1][0]
            links.setdefault(left, set()).add(right)
            links.setdefault(right, set()).add(left)
    seen, todo = set[str](), [adapter]
    while todo:
        part = todo.pop()
        if part not in seen:
            seen.add(part)
            todo += links.get(part, ())
    return seen, {part for part in seen if len(links.get(part, ())) == 1}


def buses(box: Box) -> Iterator[str]:
    for bus, adapter in ADAPTERS.items():
        on_bus = [row for row in box.addresses if row["bus"] == bus]
        seen, ends = bus_ends(box, adapter)
        listed = {row["part"] for row in on_bus}
        devices = {part for part in seen if part != adapter and not part.startswith("SPD")}
        if listed != devices:
            yield f"addresses.csv: {bus} has {sorted(devices)} wired and {sorted(listed)} listed"
        if len(ends) != 2:
            yield f"{bus} is no line with two ends; no stars and no rings"
        stopped = {part for part in seen if TERMINATOR in box.wiring.extras.get(part, ())}
        if stopped != ends:
            yield f"{bus} ends at {sorted(ends)} and has 120 ohm at {sorted(stopped)}"
        biased = {part for part in seen if BIAS in box.wiring.extras.get(part, ())}
        if biased != {adapter}:
            yield f"{bus}: bias belongs at {adapter} only, not at {sorted(biased)}"
        numbers = [int(row["address"]) for row in on_bus]
        if len(set(numbers)) != len(numbers):
            yield f"addresses.csv: two devices of {bus} share an address"
        if any(not 1 <= number <= 247 for number in numbers):
            yield f"addresses.csv: an address of {bus} is outside 1 to 247"
        if len(on_bus) + 1 > UNIT_LOADS:
            yield f"{bus} has more than {UNIT_LOADS} unit loads"
        if len({row["frame"] for row in on_bus}) > 1:
            yield f"addresses.csv: {bus} speaks two frames; one baud rate and frame for all"
        for row in on_bus:
            found = MAPS.get(row["map"])
            if found is None:
                yield f"addresses.csv: the agent has no register map {row['map']}"
            elif row["frame"].split()[0] not in found.line:
                yield f"addresses.csv: {row['map']} leaves the works at {found.line}; set it first"


def outdoor_lines(box: Box) -> Iterator[str]:
    """What goes outdoors passes an arrester, and every arrester and supply is earthed."""
    earthed = {part for wire in box.wiring.wires if wire.label == "PE" for part, _ in wire.ends}
    for part in box.wiring.parts:
        if (part.startswith(("SPD", "PS")) or part == "X1") and part not in earthed:
            yield f"{part} has no earth wire to the bar"
    for wire in box.wiring.wires:
        for outdoors in ("HORN", "D4"):
            names = {part for part, _ in wire.ends}
            if outdoors in names and not any(name.startswith("SPD") for name in names):
                yield f"{wire.label} goes outdoors to {outdoors} without an arrester"


RULES = (ordered, nets_whole, rails_hold, holds, contacts, bays, buses, outdoor_lines)


def faults(box: Box | None = None) -> list[str]:
    subject = box or load()
    return [f"checkpoint box: {text}" for rule in RULES for text in rule(subject)]
