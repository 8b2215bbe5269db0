"""The county link: a TCP forwarder on loopback that can be cut and restored."""

from __future__ import annotations

import asyncio
import contextlib
import time

FADE_S = 1.0


class Link:
    """Forwards 127.0.0.1:`port` to `target`. While cut, new connections are refused at once.

    cut() is as a radio link falls: for FADE_S what is sent vanishes and nobody is told, then the
    router gives up and resets what ran.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.is_cut = False
        self.restored_at = 0.0  # time.time()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        self.is_cut = True
        asyncio.get_running_loop().call_later(FADE_S, self._reset)

    def _reset(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    def restore(self) -> None:
        self._reset()
        self.is_cut = False
        self.restored_at = time.time()

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._reset()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self.is_cut:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, far_writer}
        try:
            await asyncio.gather(self._pipe(reader, far_writer), self._pipe(far_reader, writer))
        finally:
            self._open -= {writer, far_writer}
            writer.transport.abort()
            far_writer.transport.abort()

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):  # a reset connection is this class's business
            while data := await reader.read(65536):
                if not self.is_cut:
                    writer.write(data)
                    await writer.drain()
            writer.close()
