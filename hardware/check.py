"""The rules of the boards, and `python -m hardware.check`, which says what breaks them.

A rule is a function from a board to sentences; RULES is the list. A sentence names the file, the
place and the remedy. Nothing here is fixed by hand in a board's file: a rule that does not fit a
board says why in its own text.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hardware import box, chip, fit, needs, orders, sources, supply
from hardware.tables import (
    BOARD_NAMES,
    BOARDS,
    BomLine,
    Draw,
    Part,
    Pin,
    Rail,
    Wiring,
    gpio_of,
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


def pins_exist(board: Board) -> Iterator[str]:
    for pin in board.pins:
        if pin.gpio in chip.FLASH:
            yield f"{pin.signal}: GPIO {pin.gpio} carries the flash (6 to 11); take another pin"
        elif pin.gpio not in chip.ON_MODULE:
            yield f"{pin.signal}: GPIO {pin.gpio} is not on the module; take another pin"
        elif pin.gpio in chip.PSRAM and board.has_psram:
            yield f"{pin.signal}: GPIO {pin.gpio} carries the PSRAM of a WROVER; take another pin"


def pins_once(board: Board) -> Iterator[str]:
    seen: dict[int, str] = {}
    names: set[str] = set()
    for pin in board.pins:
        if pin.gpio in seen:
            yield f"GPIO {pin.gpio} is both {seen[pin.gpio]} and {pin.signal}; move one"
        seen[pin.gpio] = pin.signal
        if pin.signal in names:
            yield f"{pin.signal} is named twice; a signal has one pin"
        names.add(pin.signal)


def input_only(board: Board) -> Iterator[str]:
    for pin in board.pins:
        if pin.gpio in chip.INPUT_ONLY:
            if pin.direction not in ("in", "adc"):
                yield f"{pin.signal}: GPIO {pin.gpio} (34 to 39) is input only; move the output"
            if pin.pull != "none":
                yield f"{pin.signal}: GPIO {pin.gpio} has no pull of its own; fit a resistor"


def strapping(board: Board) -> Iterator[str]:
    for pin in board.pins:
        if pin.gpio not in chip.STRAPPING or pin.gpio == chip.BOOT_BUTTON:
            continue
        level = chip.STRAPPING[pin.gpio]
        if pin.gpio == 12:
            yield f"{pin.signal}: GPIO 12 chooses the flash voltage at reset; leave it open"
        elif pin.direction != "out":
            yield f"{pin.signal}: GPIO {pin.gpio} is read at reset; nothing else may drive it"
        elif board.is_real and f"{level} at reset" not in pin.note:
            yield (
                f"{pin.signal}: GPIO {pin.gpio} must be {level} at reset; say in the note why "
                f"the load leaves it so ('{level} at reset')"
            )


# What a person would feel, or a modem obey, if the pin moved while the chip boots.
MUST_REST = ("haptic", "light", "modem_pwrkey", "modem_reset", "gps_power")


def boot_noise(board: Board) -> Iterator[str]:
    for pin in board.pins:
        if pin.gpio not in chip.MOVES_AT_BOOT or pin.signal in ("boot", "console_tx"):
            continue
        if pin.direction == "in":
            yield f"{pin.signal}: GPIO {pin.gpio} is driven by the ROM at boot, against its source"
        elif pin.signal in MUST_REST:
            yield f"{pin.signal}: GPIO {pin.gpio} moves while the chip boots; take another pin"


def words(board: Board) -> Iterator[str]:
    allowed = {
        "direction": {"in", "out", "io", "adc"},
        "pull": {"up", "down", "none"},
        "wake": {"", "ext0", "ext1"},
    }
    for pin in board.pins:
        for column, values in allowed.items():
            if getattr(pin, column) not in values:
                yield f"{pin.signal}: {column} is {getattr(pin, column)!r}, not {sorted(values)}"
        if pin.direction == "adc":
            if not pin.active.isdecimal():
                yield f"{pin.signal}: active of an adc pin is its factor, a whole number"
        elif pin.active not in ("", "high", "low"):
            yield f"{pin.signal}: active is {pin.active!r}, not high or low"


def buses(board: Board) -> Iterator[str]:
    for pin in board.pins:
        if not pin.bus:
            continue
        bus, line = pin.bus.split(".")
        if bus in chip.UARTS:
            wanted = {"tx": "out", "rts": "out", "rx": "in", "cts": "in"}.get(line)
            if wanted is None:
                yield f"{pin.signal}: a UART has no line {line!r}"
            elif pin.direction != wanted:
                yield f"{pin.signal}: {pin.bus} must be {wanted}"
            if pin.gpio in chip.GLITCHING:
                yield f"{pin.signal}: GPIO {pin.gpio} glitches low when the ADC starts; no serial"
            console = chip.UART0_CONSOLE.get(pin.bus)
            if console not in (None, pin.gpio):
                yield f"{pin.signal}: the ROM loader talks on GPIO {console}; {pin.bus} stays there"
        elif bus in chip.I2CS:
            if pin.direction != "io" or line not in ("sda", "scl"):
                yield f"{pin.signal}: an I2C line is io, sda or scl"
        elif bus == "adc1":
            if chip.ADC1.get(pin.gpio) != int(line):
                yield f"{pin.signal}: GPIO {pin.gpio} is not {pin.bus}; see hardware/chip.py"
        elif bus == "adc2":
            yield f"{pin.signal}: ADC2 cannot be read while Wi-Fi is on; use GPIO 32 to 39"
        else:
            yield f"{pin.signal}: no bus is called {bus!r}"
    lines = [pin.bus for pin in board.pins if pin.bus]
    for line in sorted({line for line in lines if lines.count(line) > 1}):
        yield f"{line} is given to two pins; a line has one"
    for pin in board.pins:
        if pin.direction == "adc" and not pin.bus.startswith("adc"):
            yield f"{pin.signal}: an adc pin names its channel (adc1.N) in bus"


def wakes(board: Board) -> Iterator[str]:
    ext0 = [pin.signal for pin in board.pins if pin.wake == "ext0"]
    if len(ext0) > 1:
        yield f"ext0 can watch one pin only, not {', '.join(ext0)}"
    for pin in board.pins:
        if pin.wake and pin.gpio not in chip.RTC:
            yield f"{pin.signal}: GPIO {pin.gpio} is no RTC pin and cannot end a sleep"
        if pin.wake == "ext1" and pin.active != "high":
            yield f"{pin.signal}: ext1 wakes on any high; turn the signal over with a transistor"
        if pin.wake and pin.gpio in chip.GLITCHING and pin.active == "low":
            yield f"{pin.signal}: GPIO {pin.gpio} glitches low; an active-low wake there is false"
    for must in ("button", "modem_ri"):
        for pin in board.pins:
            if pin.signal == must and not pin.wake:
                yield f"{must} must end a sleep; put it on an RTC pin and name ext0 or ext1"


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


def wires_end(board: Board) -> Iterator[str]:
    for wire in board.wiring.wires:
        for part, label in wire.ends:
            if label not in board.wiring.pins[part]:
                yield f"wiring.yml: {part} has no pin {label} (wire {wire.label})"


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
            divided = any(pin.signal == wire.label and pin.direction == "adc" for pin in board.pins)
            if None not in (level_a, level_b) and level_a != level_b and not divided:
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


Rule = Callable[[Board], Iterator[str]]
RULES: tuple[Rule, ...] = (
    pins_exist,
    pins_once,
    input_only,
    strapping,
    boot_noise,
    words,
    buses,
    wakes,
    wired_as_mapped,
    wires_end,
    bom_as_wired,
    parts_known,
    levels,
    adc_range,
    rails_rooted,
    rails_hold,
    bench_price,
    drivers_served,
)


def faults(board: Board) -> list[str]:
    """Every broken rule of a board, each one sentence."""
    return [f"{board.name}: {text}" for rule in RULES for text in rule(board)]


def all_faults() -> list[str]:
    found = [text for name in BOARD_NAMES for text in faults(load(name))]
    return found + box.faults() + fit.faults() + sources.faults()


def main() -> int:
    found = all_faults()
    for text in found:
        print(text, file=sys.stderr)
    if not found:
        print(f"{len(BOARD_NAMES)} boards, the case and the checkpoint box keep all rules")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
