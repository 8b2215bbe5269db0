"""systemd's watchdog, fed only by real progress (sd_notify(3), WATCHDOG=1).

Progress is: the event loop runs this room, and a transaction went through the outbox's writer and
its disk since the last look. A disk that refuses has answered too (`outbox.fault` says so, and no
restart would heal it); one that hangs has not, and then systemd ends and starts the agent.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Callable

from edge_agent.outbox import Outbox


class Watchdog:
    """`run()` for ever. Does nothing where no systemd asked for it (NOTIFY_SOCKET)."""

    def __init__(
        self, outbox: Outbox, alive: Callable[[], bool] = lambda: True, every_s: float | None = None
    ) -> None:
        limit = int(os.environ.get("WATCHDOG_USEC", "0")) / 1e6
        self._every_s = every_s or (limit / 3 if limit else 10.0)
        self._outbox, self._alive = outbox, alive
        self._path = os.environ.get("NOTIFY_SOCKET", "")

    async def run(self) -> None:
        self._notify("READY=1")
        while True:
            with contextlib.suppress(OSError):  # the disk refused: that is an answer
                await self._outbox.keep("watchdog", str(time.time()).encode())
            if self._alive():
                self._notify("WATCHDOG=1")
            await asyncio.sleep(self._every_s)

    def _notify(self, state: str) -> None:
        if not self._path:
            return
        address = "\0" + self._path[1:] if self._path.startswith("@") else self._path
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
            there.sendto(state.encode(), address)
