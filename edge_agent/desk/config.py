"""`[desk]` of agent.toml: where the staff's page listens."""

from __future__ import annotations

from edge_agent.section import Address, Section, TcpAddress


class DeskConfig(Section):
    """Loopback until told otherwise: the kiosk's browser runs on the same machine."""

    listen: TcpAddress = Address("127.0.0.1", 8080)
