"""A 50 ms ticker that writes down each gap it has had, into the world's file `gaps`."""

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


asyncio.create_task(tick())
