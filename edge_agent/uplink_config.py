"""`[[uplink]]` in agent.toml: ways to the county's broker, the preferred one first."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator


class UplinkConfig(BaseModel):
    """One way to the county: a URL as seen from one interface."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=32)] = "county"
    url: str  # mqtts://host:8883, or mqtt://host:1883 on loopback
    ca: Path | None = None  # the county's certificate authority, PEM
    cert: Path | None = None  # this checkpoint's certificate, PEM
    key: Path | None = None
    mqtt: Literal["auto", "5", "3.1.1"] = "auto"  # auto: 5, and 3.1.1 where the broker refuses it
    keepalive_s: Annotated[int, Field(ge=3, le=60)] = 6  # half of what finds a half-open line
    bind: str | None = None  # local address to leave from: picks the wired line or the LTE router
    return_s: Annotated[int, Field(ge=30, le=86400)] = 600  # on an alternate: try the first again

    @model_validator(mode="after")
    def _whole(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ValueError(f"url: {self.url!r} is not mqtts://host:port or mqtt://host:port")
        if parts.username or parts.password:
            raise ValueError("url: no password in a URL; the certificate is the identity")
        if parts.scheme == "mqtt" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError(f"url: {self.url!r} is not encrypted; write mqtts://, or use loopback")
        if self.tls and self.ca is None:
            raise ValueError("ca: mqtts:// needs the county's CA certificate (PEM file)")
        if (self.cert is None) != (self.key is None):
            raise ValueError("cert, key: give both or none")
        return self

    @property
    def tls(self) -> bool:
        return urlsplit(self.url).scheme == "mqtts"

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or (8883 if self.tls else 1883)
