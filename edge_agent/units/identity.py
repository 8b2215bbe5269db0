"""Who a unit is: its certificate's name. TLS of the endpoint."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

from edge_agent.units.config import UnitsConfig


def server_tls(config: UnitsConfig) -> ssl.SSLContext | None:
    """The endpoint's side; None where agent.toml has it plain (loopback only)."""
    if config.ca is None or config.cert is None or config.key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(config.ca)
    if config.crl is not None:
        context.load_verify_locations(config.crl)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    context.load_cert_chain(config.cert, config.key)
    return context


def common_name(writer: asyncio.StreamWriter) -> str | None:
    """The CN of the client's certificate, "" when it has none; None without TLS."""
    tls: ssl.SSLObject | None = writer.get_extra_info("ssl_object")
    if tls is None:
        return None
    certificate: dict[str, Any] = tls.getpeercert() or {}
    names = [v for part in certificate.get("subject", ()) for k, v in part if k == "commonName"]
    return names[0] if len(names) == 1 else ""
