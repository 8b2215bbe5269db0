"""The county's broker: embedded (plain, loopback), Debian's mosquitto (TLS, ACL), or a real one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

from iotcore import Broker

from edge_agent.county.patrolctl import Asked
from tests.fakes.mosquitto import Mosquitto, free_port

DEPLOY = Path(__file__).resolve().parents[2] / "edge_agent/deploy/county"


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


class CountyMosquitto:
    """mosquitto as a county installs it: edge_agent/deploy/county with its paths, TLS and ACL.

    `ids` holds ca.cert.pem, crl.pem and the county's certificate by the time start() is called.
    """

    tls = True
    host = "127.0.0.1"

    def __init__(self, folder: Path, ids: Path) -> None:
        self.port = free_port()
        config = (DEPLOY / "mosquitto.conf").read_text()
        for installed, here in (
            ("listener 8883", f"listener {self.port} 127.0.0.1"),
            ("/etc/mosquitto/patrol", str(ids)),
            ("/etc/mosquitto/acl", str(DEPLOY / "acl")),
            ("/var/lib/mosquitto/", f"{folder}/"),
        ):
            assert installed in config, f"{installed} is not in deploy/county/mosquitto.conf"
            config = config.replace(installed, here)
        self._broker = Mosquitto(folder, config, self.port)

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


AnyBroker = Embedded | CountyMosquitto | Real
