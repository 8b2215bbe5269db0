"""Lamps on the dock: what the page shows of a bay, for whoever stands in front of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from edge_agent.docks.config import Bay
from edge_agent.outputs.room import OutputFault

log = logging.getLogger(__name__)

EVERY_S = 0.5


class Outputs(Protocol):
    """edge_agent/outputs: named lamps among them."""

    async def set(self, name: str, on: bool, who: str, /) -> object: ...


class Lamps:
    """`run(view)` for ever: each lamp is set once per change."""

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
                    try:
                        await self._outputs.set(output, on, f"dock {slug}")
                    except OutputFault as fault:  # a dark lamp must not stop a bay
                        log.warning("%s: %s", slug, fault)
                    self._lit[output] = on
            await asyncio.sleep(EVERY_S)
