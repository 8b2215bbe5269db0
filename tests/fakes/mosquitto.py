"""Debian's mosquitto as a child process on a free port of loopback."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import time
from pathlib import Path

UNLIMITED = (  # its default queues drop what it has acknowledged
    "max_queued_messages 0\nmax_inflight_messages 0\n"
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listening(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.5):
        return True
    return False


class Mosquitto:
    """`with Mosquitto(folder) as broker: … broker.port`; stop, kill and start again at will.

    config  lines of mosquitto.conf; without a `listener` in it, an anonymous one on loopback.
    """

    def __init__(self, folder: Path, config: str = UNLIMITED, port: int | None = None) -> None:
        self.port = port or free_port()
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        if "listener " not in config:
            config = f"listener {self.port} 127.0.0.1\nallow_anonymous true\n{config}"
        (folder / "mosquitto.conf").write_text(f"user root\n{config}")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Mosquitto:
        with (self.folder / "mosquitto.log").open("ab") as log:
            self.process = subprocess.Popen(
                ["mosquitto", "-c", str(self.folder / "mosquitto.conf")], stdout=log, stderr=log
            )
        deadline = time.monotonic() + 10
        while not listening(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.folder / "mosquitto.log").read_text())
            time.sleep(0.02)
        return self

    def signal(self, number: signal.Signals) -> None:
        """SIGSTOP, SIGCONT, SIGHUP, …"""
        if self.process is not None:
            self.process.send_signal(number)

    def stop(self, kill: bool = False) -> None:
        if self.process is None:
            return
        self.process.send_signal(signal.SIGCONT)
        (self.process.kill if kill else self.process.terminate)()
        self.process.wait(10)
        self.process = None

    def __enter__(self) -> Mosquitto:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
