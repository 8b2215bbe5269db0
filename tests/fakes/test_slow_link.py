"""The slow line, itself: its rate, its round trip, what a freeze and a cut do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from tests.fakes.slow_link import HEADER, SlowLink


@pytest.fixture
async def echo() -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def test_rate_and_round_trip(echo: int) -> None:
    link = await SlowLink(echo, 80_000, 0.2).start()
    reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
    began = time.monotonic()
    writer.write(b"x")
    await reader.readexactly(1)
    assert 0.2 <= time.monotonic() - began < 0.4
    began = time.monotonic()
    writer.write(bytes(10_000))
    await reader.readexactly(10_000)
    least = (10_000 + 8 * HEADER) * 8 / 80_000 + 0.2
    assert 0.95 * least <= time.monotonic() - began < 1.5 * least
    assert link.carried == 10_001
    writer.close()
    await link.stop()


async def test_frozen_nothing_passes_and_cut_the_rest_is_gone(echo: int) -> None:
    link = await SlowLink(echo, 1e6, 0.02).start()
    reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
    link.freeze()
    writer.write(b"lost")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(10), 0.3)
    link.cut()
    link.thaw()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await asyncio.wait_for(reader.readexactly(4), 2)
    writer.close()
    await link.stop()
