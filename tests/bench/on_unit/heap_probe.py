"""Beside main.py: what the heap holds, for unit_heap.py. Imported before anything else of the unit.

Prints "virtual BYTES" (what stands for silicon, imported by itself) and MicroPython's own mem_info
ten times a second.
"""

import gc
import sys

import micropython
import utime

sys.modules["time"] = utime  # as world.py does: asyncio counts in the port's own ticks
import asyncio  # noqa: E402

del sys.modules["time"]


def used():
    gc.collect()
    return gc.mem_alloc()


before = used()
for name in ("machine", "network", "esp32", "socket", "time"):
    __import__(name)
print("virtual", used() - before)


async def watch():
    while True:
        micropython.mem_info()
        await asyncio.sleep_ms(100)


asyncio.create_task(watch())
