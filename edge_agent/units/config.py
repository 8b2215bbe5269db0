"""`[units]` in agent.toml: the MQTT endpoint for the units near this checkpoint."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Self

from pydantic import Field, model_validator

from edge_agent.section import Address, ExistingFile, Section, TcpAddress


class UnitsConfig(Section):
    """Where units connect, and how much one of them may ask for.

    ca signs the units' certificates; cert and key are this checkpoint's. Without them the endpoint
    is plain and a unit is who its client id says: on loopback only, for tests.
    """

    listen: TcpAddress = Address("127.0.0.1", 8884)
    ca: ExistingFile | None = None
    cert: ExistingFile | None = None
    key: ExistingFile | None = None
    crl: ExistingFile | None = None  # certificates the county has revoked; read at a start
    most_connections: Annotated[int, Field(ge=1, le=2000)] = 256
    messages_per_s: Annotated[int, Field(ge=1, le=10000)] = 200  # of one unit; more waits
    burst: Annotated[int, Field(ge=1, le=100000)] = 1000
    queue: Annotated[int, Field(ge=1, le=10000)] = 200  # messages kept for one absent unit
    session_s: Annotated[int, Field(ge=60, le=604800)] = 86400  # a session outlives its connection

    @model_validator(mode="after")
    def _whole(self) -> Self:
        files = (self.ca, self.cert, self.key)
        if None in files and any(files):
            raise ValueError(
                "ca, cert, key 要么都写，要么都不写 / give all of ca, cert, key or none"
            )
        if self.crl is not None and self.ca is None:
            raise ValueError("crl 需要 ca / crl: needs ca")
        if self.ca is None and not _loopback(self.listen.host):
            raise ValueError(
                f"{self.listen} 没有 TLS：写上 ca, cert, key，或只监听 127.0.0.1"
                f" / {self.listen} is without TLS: give ca, cert, key, or listen on 127.0.0.1"
            )
        return self

    @property
    def tls(self) -> bool:
        return self.ca is not None


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
