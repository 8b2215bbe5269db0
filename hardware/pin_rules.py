"""What pins.csv may say of an ESP32: each rule is a function from a board to sentences."""

from __future__ import annotations

from collections.abc import Iterator

from hardware import chip
from hardware.board import Board


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
