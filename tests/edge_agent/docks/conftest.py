"""One checkpoint with two directory bays and small chunks, running for the length of a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from edge_agent.docks.config import Bay, DocksConfig
from edge_agent.docks.docks import Docks
from tests.fakes.cameras import Reporter

Running = Callable[..., AbstractAsyncContextManager[Docks]]


@pytest.fixture
def config(tmp_path: Path) -> DocksConfig:
    bays = tuple(Bay(number=n, directory=tmp_path / f"bay-{n}") for n in (1, 2))
    return DocksConfig(
        store=tmp_path / "store", bay=bays, chunk_mb=1, free_low_mb=0, free_high_mb=0
    )


@pytest.fixture
def reporter() -> Reporter:
    return Reporter()


@pytest.fixture
def running(config: DocksConfig, reporter: Reporter) -> Running:
    @asynccontextmanager
    async def run(**more: object) -> AsyncIterator[Docks]:
        docks = Docks(config, reporter, checkpoint="k-07", **more)  # type: ignore[arg-type]
        task = asyncio.create_task(docks.run())
        try:
            yield docks
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return run
