"""Serial ports that a board may be on: told by the USB chip, named by their place on the hub.

A technician knows "the third socket", not ttyUSB2, which is another board after each plug. With two
boards plugged in the tool asks which one is meant; it never guesses.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serial.tools import list_ports

from flashing.errors import FlashError

# (vendor, product) of the USB chips on ESP32 boards -> name; product None: all of that vendor.
BRIDGES: dict[tuple[int, int | None], str] = {
    (0x10C4, 0xEA60): "CP210x",
    (0x10C4, 0xEA70): "CP2105",
    (0x1A86, 0x7523): "CH340",
    (0x1A86, 0x55D3): "CH343",
    (0x1A86, 0x55D4): "CH9102",
    (0x0403, None): "FTDI",
    (0x303A, None): "Espressif USB",
}


@dataclass(frozen=True)
class Port:
    """A port: device name, place on the hub ("1-1.2": bus 1, socket 1 of the hub, its socket 2)."""

    device: str
    bridge: str
    place: str

    def __str__(self) -> str:
        return f"{self.device} ({self.bridge}, USB place {self.place or 'unknown'})"


def bridge(vendor: int | None, product: int | None) -> str | None:
    """Return the name of a known USB chip."""
    if vendor is None or product is None:
        return None
    return BRIDGES.get((vendor, product)) or BRIDGES.get((vendor, None))


def found(comports: Callable[[], Iterable[Any]] = list_ports.comports) -> list[Port]:
    """Return the ports that may hold a board, in the order of their places."""
    ports: list[Port] = []
    for entry in comports():
        name = bridge(entry.vid, entry.pid)
        if name is not None:
            place = (entry.location or "").split(":")[0]
            ports.append(Port(entry.device, name, place))
    return sorted(ports, key=lambda port: (_numbers(port.place), port.device))


def choose(ports: list[Port]) -> str:
    """Return the only port's device; FlashError with the list when there are none or several."""
    if not ports:
        raise FlashError(
            "port: no board is plugged in: plug one in with a data cable, or run ./flash.sh doctor"
        )
    if len(ports) > 1:
        listed = ", ".join(str(port) for port in ports)
        raise FlashError(f"port: {len(ports)} boards are plugged in ({listed}): add --port")
    return ports[0].device


def present(device: str) -> bool:
    """Tell whether this port is there now.

    On Windows only the list tells: to ask for the file COM5 would open the port, and reset the
    board on it.
    """
    if os.name == "posix":
        return Path(device).exists()
    return any(entry.device.upper() == device.upper() for entry in list_ports.comports())


def _numbers(place: str) -> list[int]:
    return [int(part) for part in place.replace("-", ".").split(".") if part.isdigit()]
