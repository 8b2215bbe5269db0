"""The sensors' room with a reporter that keeps what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from edge_agent import config
from edge_agent.buses import Bus, Buses
from edge_agent.sensors.room import Sensors
from patrol_contract import messages

HEAD = '[checkpoint]\nid = "k-07"\ncounty = "c371500"\n'


class Kept:
    """Reporter double: checks each report against the contract and keeps it."""

    def __init__(self) -> None:
        self.all: list[tuple[str, dict[str, Any]]] = []
        self.broken: OSError | None = None  # what the outbox raises
        self.refused = 0
        self._news = asyncio.Event()

    async def report(self, name: str, who: Mapping[str, str], fields: Mapping[str, Any], /) -> None:
        if self.broken:
            self.refused += 1
            raise self.broken
        messages.encode(name, {"v": 1, "boot": "0" * 16, "seq": 1, **fields})
        self.all.append((who["S"], dict(fields)))
        self._news.set()

    def of(self, sensor: str) -> list[dict[str, Any]]:
        return [fields for name, fields in self.all if name == sensor]

    async def until(
        self, sensor: str, wanted: Callable[[dict[str, Any]], object], within_s: float = 5
    ) -> dict[str, Any]:
        """The first report from now or before that `wanted` accepts."""
        seen = 0
        try:
            async with asyncio.timeout(within_s):
                while True:
                    for name, fields in self.all[seen:]:
                        if name == sensor and wanted(fields):
                            return fields
                    seen = len(self.all)
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(
                f"{sensor}: not in {within_s} s; it told {self.of(sensor)}"
            ) from None

    def forget(self) -> None:
        self.all.clear()


def loaded(tmp_path: Path, toml: str) -> config.Config:
    path = tmp_path / "agent.toml"
    path.write_text(HEAD + toml)
    return config.load(path)


@asynccontextmanager
async def running(
    tmp_path: Path, toml: str, given: list[Bus] | None = None, **more: Any
) -> AsyncIterator[Kept]:
    """The room and its buses, as the agent runs them, for the length of the block."""
    made = loaded(tmp_path, toml)
    kept = Kept()
    buses = Buses(made.bus, given or [])
    tasks = [
        asyncio.create_task(buses.run()),
        asyncio.create_task(Sensors(made.sensor, buses, kept, **more).run()),
    ]
    loop = asyncio.get_running_loop()
    escaped: list[str] = []  # what a callback raised: nobody awaits it, so nobody would see it
    loop.set_exception_handler(lambda _, about: escaped.append(str(about)))
    try:
        yield kept
    finally:
        loop.set_exception_handler(None)
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert not escaped, escaped
    for result in ended:  # a room that fell over must not pass for one that was cancelled
        if not isinstance(result, asyncio.CancelledError):
            raise AssertionError(f"a room ended: {result!r}")
