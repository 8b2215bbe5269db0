"""Runs on the unit, beside main.py: a 50 ms ticker that writes down each gap it has had."""

import machine  # first: on a desk this is the power-on

# isort: split
import asyncio

import utime
import world

TICK_MS = 50


async def tick():
    with open(world.path("gaps"), "a") as out:
        before = utime.ticks_ms()
        while True:
            await asyncio.sleep_ms(TICK_MS)
            now = utime.ticks_ms()
            if now - before > TICK_MS + 5:
                out.write("%d %d\n" % (now, now - before))
            before = now


machine.idle()
asyncio.create_task(tick())
import main  # noqa: E402, F401  (it runs for ever)
