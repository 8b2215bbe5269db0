"""The kinds of sensor. A new kind is one file beside these and one row here.

A kind is a section (its keys in agent.toml) and `run(section, buses, emit)`, which reads for ever
and hands every look at the world to `emit`. When to report, limits, heartbeat and quality are the
same for all and not its business (channel.py).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from edge_agent.sensors import gpio, host, modbus, nmea, serial_line
from edge_agent.sensors.section import SensorSection


class Kind(NamedTuple):
    section: type[SensorSection]
    run: Callable[..., Awaitable[Any]]  # (section, buses, emit)


KINDS: dict[str, Kind] = {
    "modbus": Kind(modbus.ModbusSection, modbus.run),
    "serial_line": Kind(serial_line.SerialLineSection, serial_line.run),
    "gpio": Kind(gpio.GpioSensorSection, gpio.run),
    "nmea": Kind(nmea.NmeaSection, nmea.run),
    "host": Kind(host.HostSection, host.run),
}


def kind_of(section: SensorSection) -> Kind:
    return next(kind for kind in KINDS.values() if type(section) is kind.section)
