from __future__ import annotations

import asyncio
import contextlib

import pytest

from edge_agent import supervise


async def test_a_room_that_fails_runs_again_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "FIRST_S", 0.0)
    runs = 0
    said: list[str | None] = []
    third = asyncio.Event()

    async def run() -> None:
        nonlocal runs
        runs += 1
        if runs == 3:
            third.set()
            await asyncio.Event().wait()
        if runs == 1:
            raise OSError("the port is gone")

    task = asyncio.create_task(
        supervise.supervise("sensors", run, lambda _name, why: said.append(why))
    )
    await asyncio.wait_for(third.wait(), 5)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert said == [None, "OSError: the port is gone", None, "ended by itself", None]
