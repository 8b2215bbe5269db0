"""The beat of a sensor that is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator


async def every(period_s: float) -> AsyncIterator[None]:
    """Yields at once, then every `period_s`, without drift. A late turn is not made up for: after
    a long wait the next one comes a period later, not a burst of missed ones."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        yield
        due = max(due + period_s, loop.time())
        await asyncio.sleep(due - loop.time())
