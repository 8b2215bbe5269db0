"""A device that prints lines on a serial port: radar, weighbridge, RFID or plate reader.

    with SerialPeer(tmp / "ttyRADAR") as peer:   # the agent opens str(peer.link)
        peer.say("V=052 km/h")                   # one line, "\\r\\n" after it
        peer.say("粤B·D12345", encoding="gbk")
        peer.send(b"\\x02no end yet")             # bytes as they are
        peer.unplug(); peer.plug()

`send` returns once the kernel has taken every byte, so a 10 MB line shows how fast the agent drains
it. Nothing here needs a thread: a device that prints does not listen.
"""

from __future__ import annotations

import os
import select
import time
from pathlib import Path
from typing import Self

from tests.fakes.pty_port import PtyPort


class SerialPeer:
    """The far end of one serial line."""

    def __init__(self, link: Path) -> None:
        self._port = PtyPort(link)
        self.link = link

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._port.close()

    def say(self, line: str, *, encoding: str = "utf-8", end: bytes = b"\r\n") -> None:
        self.send(line.encode(encoding) + end)

    def send(self, data: bytes, *, within_s: float = 30.0) -> None:
        """Raises TimeoutError if nobody drains the port for `within_s`."""
        deadline = time.monotonic() + within_s
        rest = memoryview(data)
        while rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([], [self._port.master], [], left)[1]:
                raise TimeoutError(f"{len(rest)} bytes not taken from {self.link} in {within_s} s")
            rest = rest[os.write(self._port.master, rest) :]

    def heard(self, within_s: float = 1.0) -> bytes:
        """What the agent has written to the device, b"" if nothing within `within_s`."""
        if select.select([self._port.master], [], [], within_s)[0]:
            return os.read(self._port.master, 4096)
        return b""

    def unplug(self) -> None:
        self._port.unplug()

    def plug(self) -> None:
        self._port.plug()
