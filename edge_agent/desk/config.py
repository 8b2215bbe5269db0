"""`[desk]` of agent.toml: where the staff's page listens, and what this place calls things."""

from __future__ import annotations

import ipaddress
import json
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StringConstraints, model_validator

from edge_agent.desk.mapfile import MapConfig
from edge_agent.section import Address, ExistingFile, Section, Slug, TcpAddress


class Operation(Section):
    """`[[desk.operation]]`: a 专项行动 that checks are counted for."""

    id: Slug
    name: Annotated[str, StringConstraints(min_length=1, max_length=30)]


class DeskConfig(Section):
    """Loopback until told otherwise: the kiosk's browser runs on the same machine."""

    listen: TcpAddress = Address("127.0.0.1", 8080)
    kiosk: TcpAddress = Field(
        Address("127.0.0.1", 8080),
        description="loopback: the machine's own screen, also while `listen` is elsewhere",
    )
    names: tuple[str, ...] = Field(
        (), description="names and addresses in the page's URL; absent: the certificate's"
    )
    cert: ExistingFile | None = Field(
        None, description="for TLS; absent: the checkpoint's own, of [units]"
    )
    key: ExistingFile | None = None
    places: ExistingFile | None = Field(None, description="villages and patrol points, JSON")
    map: MapConfig | None = None
    plate: str = Field("鲁P", max_length=3, description="the plate prefix seen most here")
    idle_min: int = Field(10, ge=1, le=240, description="untouched so long, the page locks")
    operation: tuple[Operation, ...] = ()
    unstaffed_min: int = Field(
        5, ge=0, le=240, description="nobody signed on for so long: the page sounds; 0: never"
    )
    seal_off: tuple[Annotated[str, StringConstraints(min_length=1, max_length=60)], ...] = Field(
        (), max_length=8, description="what this checkpoint does to seal off (封控), step by step"
    )
    syslog: bool = Field(False, description="operator log also to /dev/log")

    @model_validator(mode="after")
    def _open_only_with_tls(self) -> DeskConfig:
        if self.beyond and not (self.cert and self.key):
            raise ValueError(
                f"{self.listen} 不只本机可访问，没有 TLS 不开放：写上 cert 和 key，或监听 127.0.0.1"
                f" / {self.listen} is open to others, which needs TLS: give cert and key, or"
                " listen on 127.0.0.1"
            )
        if not is_loopback(self.kiosk.host):
            raise ValueError(
                f"kiosk = {self.kiosk} 只能是本机地址，如 127.0.0.1:8080"
                f" / kiosk = {self.kiosk} must be loopback, as 127.0.0.1:8080"
            )
        return self

    @property
    def beyond(self) -> bool:
        """Whether others than this machine can reach the page."""
        return not is_loopback(self.listen.host)


def is_loopback(host: str) -> bool:
    """Whether `host` (a name or an address) is this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def load_places(path: Path | None) -> dict[str, list[dict[str, Any]]]:
    """{"villages": [{name, lat, lon}], "points": [{desc, lat, lon, rad, place}]}, WGS-84.

    Degrees in the file, ints of 1e-7 degree in what is returned. ValueError: one sentence.
    """
    if path is None:
        return {"villages": [], "points": []}
    try:
        raw = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        return {
            kind: [
                {**row, "lat": _degree7(row["lat"]), "lon": _degree7(row["lon"])}
                for row in raw.get(kind, [])
            ]
            for kind in ("villages", "points")
        }
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise ValueError(f"{path}: 地名文件有误 / no file of places: {error!r}") from None


def _degree7(value: Decimal | int) -> int:
    return round(Decimal(value) * 10**7)
