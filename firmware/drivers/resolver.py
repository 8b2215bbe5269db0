"""Names to addresses without stopping the program: the lookup runs in a thread of its own.

getaddrinfo blocks for seconds when nobody answers; it gives the interpreter lock away meanwhile.
Lookups are seldom: an address is kept until connecting to it fails.
"""

import asyncio
import socket
from _thread import start_new_thread

_POLL_MS = 40


class Resolver:
    def __init__(self):
        self._known = {}  # (host, port) -> what getaddrinfo gave
        self._running = {}  # (host, port) -> [result or None, done]

    async def resolve(self, host: str, port: int):
        """One entry of getaddrinfo; OSError when the name is not known."""
        key = (host, port)
        if key not in self._known:
            if host.replace(".", "").isdigit():
                self._known[key] = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0]
                return self._known[key]
            cell = self._running.get(key)
            if cell is None:
                cell = self._running[key] = [None, False]
                start_new_thread(_look_up, (host, port, cell))
            while not cell[1]:
                await asyncio.sleep_ms(_POLL_MS)
            self._running.pop(key, None)
            if cell[0] is None:
                raise OSError("no address for " + host)
            self._known[key] = cell[0]
        return self._known[key]

    def forget(self, host: str, port: int) -> None:
        """Its address did not answer: look it up again next time."""
        self._known.pop((host, port), None)


def _look_up(host, port, cell):
    try:
        cell[0] = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0]
    except OSError:
        cell[0] = None
    cell[1] = True
