"""Wires that several sensors share. Each re-opens by itself and names its fault in one sentence."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TypeVar

from edge_agent.buses.gpio import GpioBus
from edge_agent.buses.modbus import ModbusBus
from edge_agent.buses.section import GpioSection, ModbusSection, ModbusTcpSection, SerialSection
from edge_agent.buses.serial import SerialBus
from edge_agent.supervise import supervise

Bus = ModbusBus | SerialBus | GpioBus
AnyBusSection = ModbusSection | ModbusTcpSection | SerialSection | GpioSection
T = TypeVar("T", ModbusBus, SerialBus, GpioBus)

# kind in [[bus]] -> what runs it. A new kind of wire is a row here and a section beside the others.
KINDS: dict[str, type[ModbusBus] | type[SerialBus] | type[GpioBus]] = {
    "modbus": ModbusBus,
    "modbus_tcp": ModbusBus,
    "serial": SerialBus,
    "gpio": GpioBus,
}


def _logged_already(_name: str, _why: str | None) -> None:
    """What a bus is down for its sensors say; supervise() has logged the rest."""


class Buses:
    """All buses by name. `given` puts in a ready one (tests: a bus on a fake chip)."""

    def __init__(self, sections: Iterable[AnyBusSection], given: Iterable[Bus] = ()) -> None:
        self._all: dict[str, Bus] = {bus.name: bus for bus in given}
        for section in sections:
            if section.name not in self._all:
                make: type = KINDS[section.kind]
                self._all[section.name] = make(section)

    def modbus(self, name: str) -> ModbusBus:
        return self._of(name, ModbusBus)

    def serial(self, name: str) -> SerialBus:
        return self._of(name, SerialBus)

    def gpio(self, name: str) -> GpioBus:
        return self._of(name, GpioBus)

    def _of(self, name: str, kind: type[T]) -> T:
        bus = self._all[name]
        if not isinstance(bus, kind):  # config.py has checked it; this guards code, not people
            raise TypeError(f"bus {name} is no {kind.__name__}")
        return bus

    async def run(self) -> None:
        """Keep every bus open, for ever. A bus whose port is gone does not end, it waits; one that
        breaks is started again, and the others never notice."""
        async with asyncio.TaskGroup() as group:
            for bus in self._all.values():
                name = f"bus {bus.name}"
                group.create_task(supervise(name, bus.run, _logged_already), name=name)
            await asyncio.Event().wait()  # none is configured: that is no reason to end
