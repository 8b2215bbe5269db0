"""Which time it is, and since when we know. A Pi has no clock of its own: until something sets it,
it says what it said when it was switched off.

Trusted are, in this order: the kernel when chrony or timesyncd has synchronised it, GPS, the
machine's own clock where agent.toml says that it has a battery, a signed county message (its `iat`,
never backwards). A reading taken before that is marked `unset_clock`; as
it leaves, its time is moved by the monotonic distance, and the mark stays.
"""

from __future__ import annotations

import ctypes
import dataclasses
import time
from collections.abc import Callable

from edge_agent.event import Event
from edge_agent.section import Section
from patrol_contract import messages

BUILT = 1_795_219_200  # 2026-11-21T00:00:00Z: no clock is right that says less
STA_UNSYNC = 0x0040  # <sys/timex.h>
SOURCES = ("ntp", "gps", "rtc", "county")  # the better one first


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


class ClockConfig(Section):
    """`[clock]` in agent.toml. rtc: this machine has a battery-backed clock, believe it."""

    rtc: bool = False


class Clock:
    """`now()` is Unix seconds, or None while nothing trusted has said them."""

    def __init__(
        self,
        rtc: bool = False,
        synchronised: Callable[[], bool] = kernel_synchronised,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._synchronised, self._wall, self._monotonic = synchronised, wall, monotonic
        self._began = wall() - monotonic()
        self._offset: float | None = None  # Unix - monotonic, as GPS or the county said
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
        return None if self._offset is None else self._monotonic() + self._offset

    def said(self, unix_s: float, source: str) -> bool:
        """GPS or the county said the time; False when it is not believed.

        The county's word is older than now by its way here, so it only ever moves the time on.
        """
        if unix_s < BUILT:
            return False
        rank, held = SOURCES.index(source), self._source
        if held != "none" and SOURCES.index(held) < rank:
            return False
        offset = unix_s - self._monotonic()
        if source == "county" and self._offset is not None and offset <= self._offset:
            return False
        self._offset, self._source = offset, source
        return True

    def shift(self) -> float | None:
        """What to add to a wall time written since this process began and before the time was
        known, by the monotonic clock's measure; None while it is not known."""
        now = self.now()
        return None if now is None else now - self._monotonic() - self._began

    def _kernel_good(self) -> bool:
        return self._wall() >= BUILT and self._synchronised()


MARK = b'"unset_clock":true'  # as the contract's canonical JSON writes it


class Restamp:
    """`restamp(event)` as it leaves: readings of this boot whose clock was not set get their time.

    Those of an earlier boot are left as they are, marked: nothing says how far off its clock was.
    """

    def __init__(self, clock: Clock, boot: str) -> None:
        self._clock, self._boot = clock, boot

    def __call__(self, event: Event) -> Event:
        if event.boot != self._boot or MARK not in event.payload:
            return event
        shift = self._clock.shift()
        if shift is None:
            return event
        fields = messages.decode("cp_sensor", event.payload)
        if "read" in fields:
            fields["read"] += round(shift)
        return dataclasses.replace(event, payload=messages.encode("cp_sensor", fields))
