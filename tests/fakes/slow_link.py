"""A TCP link with a rate and a round trip, in user space (kernels without netem have no other).

Up (client to server) all connections share `rate` bit/s, each chunk costs 40 bytes of TCP/IP more;
both ways take half the round trip. Buffers are small, so that the sender feels the line. It can be
frozen (both ways, connections stay: half open), thawed, and cut (connections closed).

As a process: `python -m tests.fakes.slow_link TARGET RATE RTT_S` prints its port, then obeys the
words freeze, thaw, cut and count on stdin; `count` answers with the MQTT bytes carried up.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Callable

HEADER = 40  # bytes of TCP/IP per segment
SEGMENT = 1400
LATE_S = 0.01  # a wake-up may be so late without costing the line anything


class SlowLink:
    """`await start()`; then connect to `port` on loopback."""

    def __init__(self, target: int, rate: float, rtt_s: float) -> None:
        self.target, self.rate, self.rtt_s = target, rate, rtt_s
        self.port = 0
        self.carried = 0  # bytes up, without TCP/IP
        self.occupied = 0.0  # s of the line's time, TCP/IP included
        self._free_at = 0.0  # loop time at which the line is free again
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> SlowLink:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        listener.bind(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        self._server = await asyncio.start_server(self._serve, sock=listener, limit=2 * SEGMENT)
        return self

    async def stop(self) -> None:
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def freeze(self) -> None:
        """Nothing passes, nobody is told."""
        self._thawed.clear()

    def thaw(self) -> None:
        self._thawed.set()

    def cut(self) -> None:
        """Close every connection."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        for end in (writer, back):
            end.transport.get_extra_info("socket").setsockopt(
                socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
            )
            self._writers.add(end)
        up = asyncio.create_task(self._pipe(reader, back, self._line_up))
        down = asyncio.create_task(self._pipe(there, writer, _no_line))
        for task in (up, down):
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _line_up(self, size: int) -> None:
        """Wait until the line has carried the chunk."""
        now = asyncio.get_running_loop().time()
        self._free_at = max(now - LATE_S, self._free_at) + (size + HEADER) * 8 / self.rate
        await asyncio.sleep(max(0.0, self._free_at - now))
        self.carried += size
        self.occupied += (size + HEADER) * 8 / self.rate

    async def _pipe(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: Callable
    ) -> None:
        loop = asyncio.get_running_loop()
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def arrive() -> None:
            while True:
                at, data = await under_way.get()
                await asyncio.sleep(max(0.0, at - loop.time()))
                await self._thawed.wait()
                if not data:
                    writer.close()
                    return
                if writer.transport.is_closing():
                    return
                writer.write(data)
                with contextlib.suppress(OSError):  # that end is gone
                    await writer.drain()

        task = asyncio.create_task(arrive())
        try:
            with contextlib.suppress(OSError):
                while data := await reader.read(SEGMENT):
                    await self._thawed.wait()
                    await line(len(data))
                    under_way.put_nowait((loop.time() + self.rtt_s / 2, data))
            under_way.put_nowait((loop.time() + self.rtt_s / 2, b""))
            await task
        finally:
            task.cancel()


async def _no_line(_size: int) -> None:
    """Down is not the narrow side."""


async def main(target: int, rate: float, rtt_s: float) -> None:
    link = await SlowLink(target, rate, rtt_s).start()
    print(link.port, flush=True)
    words: dict[str, Callable[[], None]] = {
        "freeze": link.freeze,
        "thaw": link.thaw,
        "cut": link.cut,
        "count": lambda: print(link.carried, flush=True),
    }
    stdin = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin
    )
    while word := (await stdin.readline()).decode().strip():
        words[word]()
    await link.stop()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])))
