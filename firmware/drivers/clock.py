"""Milliseconds that do not wrap, and the real-time clock in Unix seconds.

The ESP32's ticks wrap after 12.4 days and its clock counts from 2000; the unix port does neither.
Here both look the same.
"""

import time

import machine

EPOCH_2000 = 946684800
# seconds from 1970 to where this port's time() begins
_OFFSET = EPOCH_2000 if time.gmtime(0)[0] == 2000 else 0


class Clock:
    """`now_ms()` counts from the making of this object; call it once a week at the least."""

    def __init__(self, floor_s: int):
        """`floor_s`: Unix seconds before which it cannot be (build date, last stored time)."""
        self._ticks = time.ticks_ms()
        self._ms = 0
        self.known = self.unix_s() >= floor_s
        if not self.known:
            self.set_unix_s(floor_s)  # certificates are checked against it

    def now_ms(self) -> int:
        ticks = time.ticks_ms()
        self._ms += time.ticks_diff(ticks, self._ticks)
        self._ticks = ticks
        return self._ms

    def ms_of(self, ticks: int) -> int:
        """When a tick of the last six days was, on this clock."""
        return self.now_ms() + time.ticks_diff(ticks, self._ticks)

    def unix_s(self) -> int:
        return time.time() + _OFFSET

    def set_unix_s(self, unix_s: int) -> None:
        y, mo, d, h, mi, s, wd = time.gmtime(unix_s - _OFFSET)[:7]
        machine.RTC().datetime((y, mo, d, wd, h, mi, s, 0))
