"""Which time it is, and since when we know. A Pi has no clock of its own: until something sets it,
it says what it said when it was switched off.

Trusted are, in this order: the kernel when chrony or timesyncd has synchronised it, GPS, the
machine's own clock where agent.toml says that it has a battery, a signed county message that came
just now (its `iat`, never backwards). While the wall clock does not agree with any of them, what
this checkpoint records is stamped (`stamp`) and marked; restamp.py gives it its time as it leaves.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from edge_agent.event import Stamp
from edge_agent.section import Section
from edge_agent.timeline import STEP_S, Timeline

BUILT = 1_795_219_200  # 2026-11-21T00:00:00Z: no clock is right that says less
STA_UNSYNC = 0x0040  # <sys/timex.h>
SOURCES = ("ntp", "gps", "rtc", "county")  # the better one first
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class _Timex(ctypes.Structure):
    """struct timex, as far as it is read; the tail only reserves the kernel's room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def kernel_synchronised() -> bool:
    """Whether somebody disciplines the kernel's clock (adjtimex(2), no privilege needed)."""
    timex = _Timex()
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.adjtimex(ctypes.byref(timex)) >= 0 and not timex.status & STA_UNSYNC


def since_boot() -> float:
    """Seconds since the kernel booted, sleep included: the same in every process of that boot."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class ClockConfig(Section):
    """`[clock]` in agent.toml. rtc: this machine has a battery-backed clock, believe it."""

    rtc: bool = False


class Clock:
    """`now()` is Unix seconds, or None while nothing trusted has said them.

    `look()` once a second keeps `timeline` true; boot is the kernel's.
    """

    def __init__(
        self,
        rtc: bool = False,
        synchronised: Callable[[], bool] = kernel_synchronised,
        wall: Callable[[], float] = time.time,
        up: Callable[[], float] = since_boot,
        boot: str | None = None,
    ) -> None:
        self._synchronised, self._wall, self._up = synchronised, wall, up
        self.boot = boot or BOOT_ID.read_text().strip().replace("-", "")
        self.timeline = Timeline()
        self._offset: float | None = None  # Unix - up, as GPS, the battery or the county said
        self._source = "none"
        if rtc:
            self.said(wall(), "rtc")

    @property
    def source(self) -> str:
        """none, ntp, gps, rtc or county, as in cp_state."""
        return "ntp" if self._kernel_good() else self._source

    def now(self) -> float | None:
        """Unix seconds of the best source there is."""
        if self._kernel_good():
            return self._wall()
        return None if self._offset is None else self._up() + self._offset

    def said(self, unix_s: float, source: str) -> bool:
        """GPS or the county said the time; False when it is not believed.

        The county's word is older than now by its way here, so it only ever moves the time on.
        """
        if unix_s < BUILT:
            return False
        rank, held = SOURCES.index(source), self._source
        if held != "none" and SOURCES.index(held) < rank:
            return False
        offset = unix_s - self._up()
        if source == "county" and self._offset is not None and offset <= self._offset:
            return False
        self._offset, self._source = offset, source
        return True

    # -- records made before it is set ---------------------------------------------------------

    def look(self) -> Stamp | None:
        """Take note of what the wall clock says; None when that is right."""
        now, stamp = self.now(), Stamp(self.boot, self._up(), self._wall())
        right = now is not None and abs(now - stamp.wall) <= STEP_S
        if not right:
            self.timeline.unset(stamp)
        if now is not None:
            self.timeline.known(self.boot, stamp.up, now, self.source)
        return None if right else stamp

    def stamp(self, times: Iterable[int]) -> Stamp | None:
        """For a record made now with these wall times in it; None when all of them are right."""
        stamp = self.look()
        if stamp is not None:
            return stamp
        now = self._wall()
        found = (self.timeline.find(at, self.boot, now) for at in times)
        return next((old for old in found if old is not None), None)

    def moment(self, boot: str, up: float) -> float | None:
        """Unix s of a moment `up` of a boot; before it is known, what the wall clock of this boot
        would have said; None for another boot that never learned its time."""
        known = self.timeline.boots.get(boot)
        if known is not None:
            return known.offset + up
        return self._wall() - self._up() + up if boot == self.boot else None

    def _kernel_good(self) -> bool:
        return self._wall() >= BUILT and self._synchronised()
