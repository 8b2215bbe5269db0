"""What a board's tables must say together: wiring, orders, levels, supplies, drivers."""

from __future__ import annotations

from collections.abc import Iterator

from hardware import chip, needs, nets, orders, supply
from hardware.board import Board
from hardware.tables import gpio_of


def wired_as_mapped(board: Board) -> Iterator[str]:
    """pins.csv and wiring.yml say the same of every signal."""
    mapped = {pin.signal: pin.gpio for pin in board.pins}
    drawn: dict[str, int] = {}
    for wire in board.wiring.wires:
        for part, label in wire.ends:
            gpio = gpio_of(label)
            if part != "U1" or gpio is None:
                continue
            if wire.label not in mapped:
                yield f"wiring.yml: wire {wire.label} at IO{gpio} is no signal of pins.csv"
            elif mapped[wire.label] != gpio:
                yield (
                    f"{wire.label}: pins.csv says GPIO {mapped[wire.label]}, "
                    f"wiring.yml draws IO{gpio}"
                )
            drawn[wire.label] = gpio
    for signal, label in board.wiring.on_board.items():
        if mapped.get(signal) != gpio_of(label):
            yield f"wiring.yml: on_board {signal} is {label}, pins.csv says otherwise"
        drawn[signal] = gpio_of(label) or -1
    for signal in mapped:
        if signal not in drawn:
            yield f"{signal}: in pins.csv, but no wire of wiring.yml carries it"


def nets_whole(board: Board) -> Iterator[str]:
    yield from nets.faults(board.wiring)
    yield from nets.islands(board.wiring)


def bom_as_wired(board: Board) -> Iterator[str]:
    yield from orders.faults(board.bom, board.wiring)


def parts_known(board: Board) -> Iterator[str]:
    for mpn in board.wiring.parts.values():
        if mpn not in board.parts:
            yield f"parts.csv: {mpn} has no line; supply, level and size are needed"


def levels(board: Board) -> Iterator[str]:
    """Both ends of a signal speak the same voltage, and a supply wire fits the part."""
    for wire in board.wiring.wires:
        rail = board.rails.get(wire.label)
        (part_a, pin_a), (part_b, pin_b) = wire.ends
        if not {board.wiring.parts[part_a], board.wiring.parts[part_b]} <= set(board.parts):
            continue  # parts_known asks for the missing line
        if rail:
            for part, pin in wire.ends:
                if rail.source == f"{part}.{pin}":
                    continue
                limits = board.parts[board.wiring.parts[part]].supply_mv(pin)
                # A part that hands a rail on under its own rail's name takes it as a load.
                if limits and not (limits[0] <= rail.min_mv and rail.max_mv <= limits[1]):
                    yield (
                        f"{part}.{pin}: rail {rail.name} is {rail.min_mv} to {rail.max_mv} mV, "
                        f"the part takes {limits[0]} to {limits[1]}"
                    )
        elif wire.label not in ("GND",):
            level_a = board.parts[board.wiring.parts[part_a]].level_mv(pin_a)
            level_b = board.parts[board.wiring.parts[part_b]].level_mv(pin_b)
            if None not in (level_a, level_b) and level_a != level_b:
                yield (
                    f"{wire.label}: {part_a} speaks {level_a} mV and {part_b} {level_b} mV; "
                    "put a level shifter between"
                )


def adc_range(board: Board) -> Iterator[str]:
    for pin in board.pins:
        if pin.signal == "battery" and board.is_real:
            top = board.rails["VBAT"].max_mv / int(pin.active)
            if top > chip.ADC_FULL_SCALE_MV:
                yield f"battery: {top:.0f} mV at the pin is over the ADC's range; divide more"


def rails_rooted(board: Board) -> Iterator[str]:
    for rail in board.rails.values():
        part, _, pin = rail.source.partition(".")
        if pin not in board.wiring.pins.get(part, ()):
            yield f"rails.csv: {rail.name} comes from {rail.source}, which wiring.yml lacks"
        if rail.parent and rail.parent not in board.rails:
            yield f"rails.csv: {rail.name} hangs on {rail.parent}, which is no rail"


def rails_hold(board: Board) -> Iterator[str]:
    yield from supply.faults(board.rails, board.power)


def bench_price(board: Board) -> Iterator[str]:
    total = orders.total_cny(board.bom)
    if board.name == "devkit" and total >= 100:
        yield f"bom.csv: the bench unit costs {total:.2f} CNY; it must stay under 100"


def drivers_served(board: Board) -> Iterator[str]:
    yield from needs.faults({pin.signal: pin for pin in board.pins})
