"""The county's broker: embedded (plain, loopback) or Debian's mosquitto (TLS, ACL)."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from iotcore import Broker


def free_port() -> int:
    """A TCP port on loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Tls:
    """Files of one end: CA, certificate, key (PEM)."""

    ca: Path
    cert: Path
    key: Path


class Embedded:
    """rumqttd in a child process: no TLS, no ACL, nothing to install."""

    tls = False

    def __init__(self) -> None:
        self.port = free_port()
        self._broker = Broker(port=self.port, listen="127.0.0.1")

    async def start(self) -> None:
        await asyncio.to_thread(self._broker.start)

    async def stop(self) -> None:
        await asyncio.to_thread(self._broker.stop)


class Mosquitto:
    """Debian's mosquitto with the county's own configuration: TLS, client certificates, ACL.

    `conf` is a configuration to run as it is; `port` is where it listens on loopback.
    """

    tls = True

    def __init__(self, conf: Path, port: int) -> None:
        self.port = port
        self._conf = conf
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def command() -> str | None:
        return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")

    async def start(self) -> None:
        command = self.command()
        if command is None:
            raise SystemExit("mosquitto: not installed: apt-get install mosquitto")
        log = self._conf.with_suffix(".log").open("wb")
        self._process = subprocess.Popen([command, "-c", str(self._conf)], stdout=log, stderr=log)
        deadline = asyncio.get_running_loop().time() + 10
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self._process.poll() is not None or asyncio.get_running_loop().time() > deadline:
                raise SystemExit(f"mosquitto did not start: read {self._conf.with_suffix('.log')}")
            await asyncio.sleep(0.05)

    async def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            await asyncio.to_thread(self._process.wait, 10)
