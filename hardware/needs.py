"""What the firmware's drivers ask of a board.

A driver's signals come together or not at all: half a modem is no modem. `ALWAYS` is what every
unit has; without a charger line, for example, a shift begins with a long press instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hardware.tables import Pin

ALWAYS = ("button", "haptic", "light", "gps")

# Driver -> signal -> (direction, bus or "" for a plain pin).
DRIVERS: dict[str, dict[str, tuple[str, str]]] = {
    "button": {"button": ("in", "")},
    "haptic": {"haptic": ("out", "")},
    "light": {"light": ("out", "")},
    "gps": {"gps_rx": ("in", "uart1.rx"), "gps_tx": ("out", "uart1.tx")},
    "gps power": {"gps_power": ("out", "")},
    "battery": {"battery": ("adc", "adc1")},
    "charger": {"charger": ("in", "")},
    "i2c": {"i2c_sda": ("io", "i2c0.sda"), "i2c_scl": ("io", "i2c0.scl")},
    "accelerometer": {"accel_int": ("in", ""), "i2c_sda": ("io", "i2c0.sda")},
    "lte": {
        "modem_tx": ("out", "uart2.tx"),
        "modem_rx": ("in", "uart2.rx"),
        "modem_rts": ("out", "uart2.rts"),
        "modem_cts": ("in", "uart2.cts"),
        "modem_pwrkey": ("out", ""),
        "modem_reset": ("out", ""),
        "modem_dtr": ("out", ""),
        "modem_ri": ("in", ""),
        "modem_status": ("in", ""),
    },
    "console": {"console_tx": ("out", "uart0.tx"), "console_rx": ("in", "uart0.rx")},
    "boot": {"boot": ("in", "")},
}
# Named by more than one driver: the first alone does not mean the second is on the board.
SHARED = {"i2c_sda", "i2c_scl"}


def faults(pins: Mapping[str, Pin]) -> Iterator[str]:
    known: set[str] = set()
    for driver, wants in DRIVERS.items():
        known |= set(wants)
        here = {signal for signal in wants if signal in pins and signal not in SHARED}
        if not here and driver not in ALWAYS:
            continue
        for signal, (direction, bus) in wants.items():
            pin = pins.get(signal)
            if pin is None:
                yield f"pins.csv: {driver} wants {signal}; add it or take all of {driver} out"
            elif pin.direction != direction or not pin.bus.startswith(bus):
                yield f"{signal}: {driver} wants {direction} {bus}, not {pin.direction} {pin.bus}"
            elif not bus and pin.bus:
                yield f"{signal}: {driver} drives a plain pin; {pin.bus} does not belong there"
    for signal in pins:
        if signal not in known:
            yield f"{signal}: no driver knows this signal; see hardware/needs.py"
