"""Beside main.py: what the heap holds, for unit_heap.py. Imported before anything else of the unit.

Prints "virtual BYTES" (what stands for silicon, imported by itself), "module NAME BYTES" for each
module of the unit, and MicroPython's own mem_info ten times a second.
"""

import asyncio
import builtins
import gc

import micropython

_import = builtins.__import__
_found = []  # (name, bytes without those it imports itself)


def used():
    gc.collect()
    return gc.mem_alloc()


def measured(name, *more):
    known = len(_found)
    before = used()
    module = _import(name, *more)
    own = used() - before - sum([size for _, size in _found[known:]])
    if own:
        _found.append((name, own))
    return module


for _name in ("Event", "StreamReader", "wait_for_ms"):  # frozen, and loaded when it is asked for
    getattr(asyncio, _name)
_start = used()
for _name in ("machine", "network", "esp32", "socket", "time"):
    _import(_name)
print("virtual", used() - _start)
builtins.__import__ = measured


async def watch():
    builtins.__import__ = _import
    for name, size in _found:
        print("module", name, size)
    while True:
        micropython.mem_info()
        await asyncio.sleep_ms(100)


asyncio.create_task(watch())
