"""`time` with the ESP32's habits: ticks wrap at 2**30 ms (12.4 days), time() counts from 2000.

PATROL_TICKS is where the ticks begin, so that a test can start shortly before the wrap. The
real-time clock begins at 2000-01-01 with every power-on; machine.RTC sets it.
"""

import os

import utime
from utime import sleep, sleep_ms, sleep_us  # noqa: F401

EPOCH_2000 = 946684800  # Unix seconds of 2000-01-01, where the ESP32 begins to count
_PERIOD = 1 << 30
_begin = int(os.getenv("PATROL_TICKS") or 1000) - utime.ticks_ms()
_rtc_s = -utime.time()  # what to add to the host's seconds


def ticks_ms():
    return (utime.ticks_ms() + _begin) & (_PERIOD - 1)


def ticks_add(ticks, delta):
    return (ticks + delta) & (_PERIOD - 1)


def ticks_diff(end, start):
    return ((end - start + _PERIOD // 2) & (_PERIOD - 1)) - _PERIOD // 2


def time():
    return utime.time() + _rtc_s


def gmtime(seconds=None):
    return utime.gmtime((time() if seconds is None else seconds) + EPOCH_2000)


def mktime(fields):
    return utime.mktime(fields) - EPOCH_2000


def set_rtc(seconds):
    """For machine.RTC: seconds since 2000."""
    global _rtc_s
    _rtc_s = seconds - utime.time()
