"""Ready register maps: devices as data. A new device is a new row.

`source` names the data sheet a row was taken from. None of them has been tried on the device
itself here (that is rung 6): the first use of a row ends with `probe modbus` beside the device's
own display. Addresses count from 0, as in the request.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Map(NamedTuple):
    """A device: what it is, from which paper, how it leaves the works, and its values."""

    says: str
    source: str
    line: str  # baud rate and frame, and address, as delivered
    points: dict[str, dict[str, Any]]  # name -> fields of [[sensor]] kind = "modbus"


def _inputs(names: list[str]) -> dict[str, dict[str, Any]]:
    return {name: {"function": 2, "address": at} for at, name in enumerate(names)}


MAPS: dict[str, Map] = {
    "pzem-004t": Map(
        "交流电源 / mains supply: voltage, current, power",
        "Peacefair PZEM-004T V3.0 User Manual, section 2.3 (input registers)",
        "9600 8N1, address 1",
        {
            "supply_voltage": {"function": 4, "address": 0, "scale": "0.1", "unit": "V"},
            "supply_current": {
                **{"function": 4, "address": 1, "type": "uint32", "word_order": "little"},
                **{"scale": "0.001", "unit": "A"},
            },
            "supply_power": {
                **{"function": 4, "address": 3, "type": "uint32", "word_order": "little"},
                **{"scale": "0.1", "unit": "W"},
            },
            "supply_frequency": {"function": 4, "address": 7, "scale": "0.1", "unit": "Hz"},
        },
    ),
    "pzem-017": Map(
        "蓄电池 / battery of the UPS: voltage, current, power",
        "Peacefair PZEM-017 User Manual, section 2.3 (input registers)",
        "9600 8N2, address 1",
        {
            "battery_voltage": {"function": 4, "address": 0, "scale": "0.01", "unit": "V"},
            "battery_current": {"function": 4, "address": 1, "scale": "0.01", "unit": "A"},
            "battery_power": {
                **{"function": 4, "address": 2, "type": "uint32", "word_order": "little"},
                **{"scale": "0.1", "unit": "W"},
            },
        },
    ),
    "epever-tracer": Map(
        "太阳能控制器 / solar charger: battery and panel",
        "EPEVER B series controller communication protocol V2.5 (0x3100, 0x3110, 0x311A, 0x331A)",
        "115200 8N1, address 1",
        {
            "battery_voltage": {"function": 4, "address": 0x331A, "scale": "0.01", "unit": "V"},
            "battery_charge": {"function": 4, "address": 0x311A, "unit": "%"},
            "panel_voltage": {"function": 4, "address": 0x3100, "scale": "0.01", "unit": "V"},
            "battery_temperature": {
                **{"function": 4, "address": 0x3110, "type": "int16"},
                **{"scale": "0.01", "unit": "°C"},
            },
        },
    ),
    "xy-md02": Map(
        "温湿度 / temperature and humidity (SHT20)",
        "XY-MD02 user manual, input registers 0x0001 and 0x0002, signed, one decimal",
        "9600 8N1, address 1",
        {
            "temperature": {
                **{"function": 4, "address": 1, "type": "int16"},
                **{"scale": "0.1", "unit": "°C"},
            },
            "humidity": {"function": 4, "address": 2, "scale": "0.1", "unit": "%RH"},
        },
    ),
    "qdy30a": Map(
        "投入式液位 / submersible level transmitter",
        "QDY30A manual: holding registers 0x0002 unit, 0x0003 decimals, 0x0004 level; seen only"
        " through another maker's manual with the same table",
        "9600 8N1, address 1",
        # Unit and decimals are what the device was ordered with: read 0x0002 and 0x0003 with probe
        # and set scale to match. 0.001 is right for metres with three decimals.
        {
            "water_level": {
                **{"function": 3, "address": 4, "type": "int16"},
                **{"scale": "0.001", "unit": "m"},
            },
        },
    ),
    "inputs-8": Map(
        "八路开关量 / eight inputs: loop detector, barrier arm, doors, smoke and heat relays",
        "Waveshare Modbus RTU IO 8CH wiki, 'Read input state' (function 02, addresses 0 to 7)",
        "9600 8N1, address 1",
        _inputs(
            [
                *("vehicle_loop", "barrier_open", "barrier_closed", "cabinet_door"),
                *("smoke", "heat", "water_leak", "mains_failed"),
            ]
        ),
    ),
}
