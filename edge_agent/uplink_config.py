"""`[[uplink]]` in agent.toml: ways to the county's broker, the preferred one first."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from edge_agent.section import ExistingFile, Section


class UplinkConfig(Section):
    """One way to the county: a URL as seen from one interface."""

    name: Annotated[str, Field(min_length=1, max_length=32)] = "county"
    url: str  # mqtts://host:8883, or mqtt://host:1883 on loopback
    ca: ExistingFile | None = None  # the county's certificate authority, PEM
    cert: ExistingFile | None = None  # this checkpoint's certificate, PEM
    key: ExistingFile | None = None
    mqtt: Literal["auto", "5", "3.1.1"] = "auto"  # auto: 5, and 3.1.1 where the broker refuses it
    keepalive_s: Annotated[int, Field(ge=3, le=60)] = 6  # half of what finds a half-open line
    bind: str | None = None  # local address to leave from: picks the wired line or the LTE router
    return_s: Annotated[int, Field(ge=30, le=86400)] = 600  # on an alternate: try the first again

    @model_validator(mode="after")
    def _whole(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ValueError(
                f"url：{self.url} 应写成 mqtts://主机:端口"
                f" / url: {self.url} is not mqtts://host:port (mqtt:// on loopback only)"
            )
        if parts.username or parts.password:
            raise ValueError(
                "url 里不要写密码，证书就是身份 / url: no password, the certificate is the identity"
            )
        if not self.tls and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError(
                f"url：{self.url} 没有加密，请用 mqtts:// / url: {self.url} is not encrypted:"
                " write mqtts://"
            )
        if self.tls and self.ca is None:
            raise ValueError(
                "ca：mqtts:// 需要县 CA 证书 / ca: mqtts:// needs the county's CA (PEM file)"
            )
        if (self.cert is None) != (self.key is None):
            raise ValueError("cert 和 key 要一起写 / cert, key: give both or none")
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
