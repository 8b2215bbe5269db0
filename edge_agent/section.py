"""What every section of agent.toml is made of. Rooms define their own sections from these.

A validator says what is wrong and what to do in one sentence, Chinese first: "中文 / English".
edge_agent/config.py adds file, line and key.
"""

from __future__ import annotations

import ipaddress
from decimal import Decimal
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
)


class Section(BaseModel):
    """Frozen, and a key nobody knows is a fault: a typo in a limit must not pass in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


# Stands in topics and in file names.
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,32}$")]


def _from_folder(path: Path, info: ValidationInfo) -> Path:
    folder: Path | None = (info.context or {}).get("folder")
    return path if path.is_absolute() or folder is None else folder / path


def _exists(path: Path) -> Path:
    if not path.is_file():
        raise ValueError(
            f"没有文件 {path}：放到那里，或改正路径"
            f" / no file {path}: put it there or correct the path"
        )
    return path


# Taken from the folder of agent.toml when relative.
FilePath = Annotated[Path, AfterValidator(_from_folder)]
ExistingFile = Annotated[FilePath, AfterValidator(_exists)]


class Address(NamedTuple):
    """Where to listen or to connect; port 0 lets the kernel choose (tests)."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _address(value: object) -> object:
    if not isinstance(value, str):
        return value
    host, colon, port = value.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError(
            f"{value} 不是 主机:端口（端口 1 到 65535），例如 127.0.0.1:8883"
            f" / {value} is not host:port (port 1 to 65535), as in 127.0.0.1:8883"
        )
    if ":" in host:
        try:
            ipaddress.IPv6Address(host)
        except ValueError as exc:
            raise ValueError(
                f"{host} 不是 IPv6 地址 / {host} is no IPv6 address, write [::1]:8883"
            ) from exc
    return Address(host, int(port))


TcpAddress = Annotated[
    Address,
    BeforeValidator(_address),
    WithJsonSchema({"type": "string", "pattern": r"^.+:[0-9]{1,5}$"}),
]


def _milli(value: object) -> object:
    """A decimal of at most 3 places -> int of 1e-3. From the text of the number: 0.1 is 100."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    scaled = Decimal(str(value)) * 1000
    if scaled != scaled.to_integral_value():
        raise ValueError(
            f"{value} 最多写三位小数 / {value} has more than three decimals: write three"
        )
    return int(scaled)


# A number as the message contract holds it: an int of 1e-3 of its unit.
Milli = Annotated[int, BeforeValidator(_milli), WithJsonSchema({"type": "number"})]
