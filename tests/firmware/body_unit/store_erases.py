"""How many flash blocks LittleFS erases within one step of the store. MicroPython only.

One erase stops the unit for 45 ms; the steps are cut so that the unit can do other things after
each. Worn metadata is moved every 100th time LittleFS rewrites it, so the runs are long.
"""

import ram_flash
from store_rig import Shell, store_lane


def count(blocks, budget, segment_bytes, records, sends):
    """-> {erases in a step: how many steps} of a unit that is online in every other 300 records."""
    flash = ram_flash.RamFlash(blocks)
    ram_flash.mount(flash, make=True)
    unit = Shell("/flash/queue", budget=budget)
    store_lane.SEGMENT_BYTES = segment_bytes
    steps = {}

    def run(step, *arguments):
        before = flash.erases
        more = step(*arguments)
        erased = flash.erases - before
        steps[erased] = steps.get(erased, 0) + 1
        return more

    for n in range(records):
        unit.append(2, later=True)
        if n % 9 == 5:
            unit.append(1, later=True)
        while run(unit.store.step):
            pass
        if n % 40 == 0:
            turns = unit.store.tidy()
            while run(next, turns, "end") != "end":
                pass
        for _ in range(sends if n // 300 % 2 else 0):
            found = unit.store.take()
            if found:
                unit.store.done(found[0])
    whys = set([loss[4] for loss in unit.declared])
    ram_flash.umount()
    return steps, sorted(whys)


def measure():
    """-> {"online", "thinned", "full": [[erases in a step, steps], …], "whys": {…}}"""
    found = {"whys": {}}
    for name, how in (
        ("online", (512, 1024 * 1024, 16 * 1024, 3000, 3)),
        ("thinned", (64, 100 * 1024, 2 * 1024, 3000, 1)),
        ("full", (24, 1024 * 1024, 4 * 1024, 2500, 0)),
    ):
        steps, found["whys"][name] = count(*how)
        found[name] = sorted(steps.items())
    return found
