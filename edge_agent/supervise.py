"""Keep every room running, whatever becomes of the others."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

FIRST_S, LONGEST_S = 0.5, 30.0
CALM_S = 60.0  # a room that ran this long starts again with a short wait


async def supervise(
    name: str, run: Callable[[], Awaitable[None]], fault: Callable[[str, str | None], None]
) -> None:
    """Await run() for ever: when it fails or returns, tell `fault` why and run it again.

    fault(name, sentence) while it is down, fault(name, None) once it runs again. The wait doubles
    from 0.5 s to 30 s. Only cancellation ends it.
    """
    wait = FIRST_S
    while True:
        began = time.monotonic()
        fault(name, None)
        try:
            await run()
            why = "ended by itself"
        except Exception as error:  # one broken room must not stop the others: this is the wall
            log.exception("%s failed", name)
            why = f"{type(error).__name__}: {error}"
        fault(name, why)
        if time.monotonic() - began > CALM_S:
            wait = FIRST_S
        await asyncio.sleep(wait)
        wait = min(2 * wait, LONGEST_S)
