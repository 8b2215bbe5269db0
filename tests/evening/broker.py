"""The county's broker: embedded (plain, loopback), Debian's mosquitto (TLS, ACL), or a real one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

from iotcore import Broker

from edge_agent.county.patrolctl import Asked
from tests.fakes.mosquitto import Mosquitto, free_port


class Embedded:
    """rumqttd in a child process: no TLS, no ACL, nothing to install."""

    tls = False
    host = "127.0.0.1"

    def __init__(self) -> None:
        self.port = free_port()
        self._broker = Broker(port=self.port, listen=self.host)

    async def start(self) -> None:
        await asyncio.to_thread(self._broker.start)

    async def stop(self) -> None:
        await asyncio.to_thread(self._broker.stop)


class County:
    """mosquitto with the county's own configuration: TLS, client certificates, ACL."""

    tls = True
    host = "127.0.0.1"

    def __init__(self, folder: Path, config: str, port: int) -> None:
        self.port = port
        self._broker = Mosquitto(folder, config, port)

    async def start(self) -> None:
        await asyncio.to_thread(self._broker.start)

    async def stop(self) -> None:
        await asyncio.to_thread(self._broker.stop)


class Real:
    """A broker that is there already: COUNTY=mqtt://host or mqtts://host."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise Asked(f"COUNTY={url}: not mqtt://host:port or mqtts://host:port")
        self.tls = parts.scheme == "mqtts"
        self.host = parts.hostname
        self.port = parts.port or (8883 if self.tls else 1883)

    async def start(self) -> None:
        """It runs already."""

    async def stop(self) -> None:
        """It goes on running."""


AnyBroker = Embedded | County | Real
