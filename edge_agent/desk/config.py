"""`[desk]` of agent.toml: where the staff's page listens, and what this place calls things."""

from __future__ import annotations

import ipaddress
import json
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StringConstraints, model_validator

from edge_agent.section import Address, ExistingFile, Section, Slug, TcpAddress


class Operation(Section):
    """`[[desk.operation]]`: a 专项行动 that checks are counted for."""

    id: Slug
    name: Annotated[str, StringConstraints(min_length=1, max_length=30)]


class DeskConfig(Section):
    """Loopback until told otherwise: the kiosk's browser runs on the same machine."""

    listen: TcpAddress = Address("127.0.0.1", 8080)
    names: tuple[str, ...] = Field((), description="names and addresses in the page's URL")
    cert: ExistingFile | None = Field(None, description="the agent's certificate, for TLS")
    key: ExistingFile | None = None
    places: ExistingFile | None = Field(None, description="villages and patrol points, JSON")
    approval: str = Field("", max_length=60, description="审图号, shown with the map")
    plate: str = Field("鲁P", max_length=3, description="the plate prefix seen most here")
    idle_min: int = Field(10, ge=1, le=240, description="untouched so long, the page locks")
    operation: tuple[Operation, ...] = ()
    syslog: bool = Field(False, description="operator log also to /dev/log")

    @model_validator(mode="after")
    def _open_only_with_tls(self) -> DeskConfig:
        if not is_loopback(self.listen.host) and not (self.cert and self.key and self.names):
            raise ValueError(
                "不只本机可访问时必须写 cert、key 和 names"
                " / reachable from elsewhere: give cert, key and names"
            )
        return self


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
