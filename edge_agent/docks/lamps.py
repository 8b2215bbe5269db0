"""Lamps on the dock: what the page shows of a bay, for whoever stands in front of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from edge_agent.docks.config import Bay

EVERY_S = 0.5


class Outputs(Protocol):
    """edge_agent/outputs: named lamps among them."""

    async def set(self, name: str, on: bool, who: str, /) -> object: ...


class Lamps:
    """`run(view)` for ever: each lamp is set once per change.

    What `set` raises ends it, and whoever supervises starts it again: the other lamps go on.
    """

    def __init__(self, bays: Iterable[Bay], outputs: Outputs) -> None:
        self._lamps = [
            (bay.slug, light, output)
            for bay in bays
            for light, output in bay.lights
            if output is not None
        ]
        self._outputs = outputs
        self._lit: dict[str, bool] = {}

    async def run(self, view: Callable[[], list[dict[str, Any]]]) -> None:
        while True:
            now = {bay["bay"]: bay["light"] for bay in view()}
            for slug, light, output in self._lamps:
                on = now.get(slug) == light
                if self._lit.get(output) is not on:
                    self._lit[output] = on  # a lamp that fails waits for its next change
                    await self._outputs.set(output, on, f"dock {slug}")
            await asyncio.sleep(EVERY_S)
