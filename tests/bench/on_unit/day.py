"""A simulated 24 h of the core on MicroPython: prints the heap in use after each hour, as JSON.

No shell and no flash: a fix every five seconds along a walk there and back, an SOS in the middle,
a charger at both ends. What the core says is thrown away, as a drained queue would.
"""

import gc
import json

from body_unit.core import Core
from body_unit.gps import Gps

START_S = 1795280400  # 2026-11-21 17:00 UTC
IDENTITY = {
    "unit": "u-0001",
    "county": "c371500",
    "tid": "01",
    "boot": "0123456789abcdef",
    "firmware": "day",
    "board": "virtual",
    "keys": {},
    "sms_to": "",
    "has": ("charger",),
}


def sentence(body):
    total = 0
    for byte in body.encode():
        total ^= byte
    return "$%s*%02X\r\n" % (body, total)


def second(at_s):
    """RMC and GGA of one second; the walker goes 1 m a second, an hour there, an hour back."""
    day_s = (START_S + at_s) % 86400
    clock = "%02d%02d%02d.000" % (day_s // 3600, day_s // 60 % 60, day_s % 60)
    date = "%02d1126" % (21 + (61200 + at_s) // 86400)
    along = at_s % 7200 if at_s % 7200 < 3600 else 7200 - at_s % 7200
    place = "3514.%05d,N,11528.81200,E" % (20000 + along * 54)
    rmc = "GNRMC,%s,A,%s,1.94,10.00,%s,,,A" % (clock, place, date)
    gga = "GNGGA,%s,%s,1,09,0.9,61.2,M,-8.1,M,," % (clock, place)
    return (sentence(rmc) + sentence(gga)).encode()


def run(hours, every_s):
    core = Core(IDENTITY, {})
    gps = Gps(START_S - 86400)
    core.step(0, ("boot", "power_on", None))
    core.step(10, ("charger", False))
    used = []
    for hour in range(hours):
        for at_s in range(hour * 3600, hour * 3600 + 3600, every_s):
            now_ms = at_s * 1000 + 1000
            for event in gps.feed(second(at_s), now_ms):
                core.step(now_ms, event)
            core.step(now_ms, ("tick",))
        if hour == hours // 2:
            core.step(now_ms, ("hold", now_ms - 1500))
        gc.collect()
        used.append(gc.mem_alloc())
    return used


if __name__ == "__main__":
    print(json.dumps(run(24, 5)))
