"""[[bus]] tables: which wire, at which speed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from edge_agent.section import Section, Slug, TcpAddress

Baud = Literal[1200, 2400, 4800, 9600, 14400, 19200, 38400, 57600, 115200, 230400]
Port = Annotated[
    str,
    Field(
        pattern=r"^/.+",
        description="/dev/serial/by-id/…, or by-path for adapters without a number of their own",
    ),
]


class BusSection(Section):
    name: Slug = Field(description="how sensors and outputs call it")


class SerialLine(BusSection):
    """What every serial port has."""

    port: Port
    baud: Baud = 9600
    parity: Literal["N", "E", "O"] = "N"
    data_bits: Literal[7, 8] = 8
    stop_bits: Literal[1, 2] = 1


class ModbusTiming(BusSection):
    """What RTU and TCP share."""

    timeout_s: float = Field(
        0.3, ge=0.02, le=10, description="how long a slave may think before it answers"
    )
    silent_retry_s: float = Field(
        30, ge=1, le=3600, description="a silent slave is asked again at most this seldom"
    )


class ModbusSection(SerialLine, ModbusTiming):
    """Modbus RTU over RS-485."""

    kind: Literal["modbus"]
    echo: bool = Field(False, description="true if the adapter hears its own requests")


class ModbusTcpSection(ModbusTiming):
    """Modbus TCP: a gateway or a device with its own address."""

    kind: Literal["modbus_tcp"]
    address: TcpAddress


class SerialSection(SerialLine):
    """A port on which one device prints lines."""

    kind: Literal["serial"]
    end: str = Field("\n", min_length=1, max_length=4, description="what ends a line")
    longest: int = Field(512, ge=16, le=65536, description="bytes; a longer line is dropped")


class GpioSection(BusSection):
    """A GPIO chip: /dev/gpiochip0 on a Pi 4, /dev/gpiochip0 or 4 on a Pi 5."""

    kind: Literal["gpio"]
    chip: Annotated[str, Field(pattern=r"^/dev/.+")] = "/dev/gpiochip0"
