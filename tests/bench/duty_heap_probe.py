"""Runs under MicroPython in a small heap: the whole core on a patrol, then says how it went.

argv: 1 = patrol, with a plan of 32 points, commands and an SOS; `load` = only import and boot.
"""

import gc
import sys
from collections import namedtuple

import orders  # what the county sent: written by duty_heap.py, signed outside this heap

from body_unit.core import Core
from patrol_contract import messages, topics

NOW = 1795280400
LAT, LON = 312480350, 1215873800
TOPIC = "patrol/v1/c371500/u-0123/cmd"
Fix = namedtuple("Fix", "lat7 lon7 acc_m speed_cms course_deg unix_s at_ms quality")
SECONDS = 600


def unit():
    return Core(
        {
            "unit": "u-0123",
            "county": "c371500",
            "boot": "5f3c9a0e11d2b487",
            "tid": "23",
            "firmware": "0.1.0",
            "board": "lte",
            "keys": {orders.KID: orders.MODULUS},
            "sms_to": "",
            "has": ("charger", "accelerometer"),
        },
        {},
    )


def patrol(core):
    """Ten minutes' walk past the points of a full plan, an SOS in the middle; bytes published."""
    said = 0
    for second in range(SECONDS):
        now = 1000 * second
        events = [("tick",), fix(second, now)]
        if second in orders.AT:
            events.append(("message", TOPIC, orders.AT.pop(second)))
        if second == 70:
            events.append(("press", 1))
        if second == 300:
            events.append(("hold", now - 1500))
        for event in events:
            for effect in core.step(now, event):
                said += publish(effect, second)
        events = None
    return said


def fix(second, now):
    return ("fix", Fix(LAT + second * 110, LON, 4, 120, 0, NOW + second, now, 1))


def publish(effect, seq):
    """As the shell does: to bytes, and forgotten."""
    if effect[0] != "publish":
        return 0
    fields = effect[4]
    fields["v"], fields["boot"], fields["seq"] = 1, "5f3c9a0e11d2b487", seq + 1
    topic = topics.topic(effect[3], C="c371500", U="u-0123")
    return len(topic) + len(messages.encode(effect[3], fields))


def main(how):
    core = unit()
    core.step(0, ("boot", "power_on", NOW))
    core.step(0, ("charger", False))
    gc.collect()
    loaded = gc.mem_alloc()
    if how == "load":
        print(loaded)
        return
    said = patrol(core)
    if len(core.rounds._places) != orders.POINTS:
        raise MemoryError("the plan was refused")
    gc.collect()
    print(loaded, gc.mem_alloc(), said)


main(sys.argv[1])
