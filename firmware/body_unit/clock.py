"""Unix time kept against the core's milliseconds, and who may set it.

Below the floor (the build date, or the time stored last, whichever is later) nothing is believed:
TLS checks certificate dates against this clock, and a receiver that lost a week rollover, or a
spoofed one, says a time that has been. Above it the better source wins, and keeps the clock for
HELD_MS after it spoke last: GPS, then the county, then what the board's own clock kept.
"""

SOURCES = ("rtc", "county", "gps")  # worst first
HELD_MS = 6 * 3600 * 1000  # the quartz drifts half a second in this time (20 ppm)
STEP_S = 2  # a GPS second arrives up to one late: smaller differences are not news


class Clock:
    """`floor_s`: Unix seconds. `source` is "none" until the first believed time."""

    def __init__(self, floor_s):
        self.floor_s = floor_s
        self.source = "none"
        self._zero_ms = 0  # Unix ms when the core's clock was 0
        self._told_ms = 0

    def offer(self, unix_s, source, now_ms):
        """A source names the time. True when the clock was set by it (and the RTC must follow)."""
        if unix_s < self.floor_s:
            return False
        known = self.unix_s(now_ms)
        if known is not None and SOURCES.index(source) < SOURCES.index(self.source):
            if now_ms - self._told_ms < HELD_MS:
                return False
        self.source = source
        self._told_ms = now_ms
        if known is not None and abs(known - unix_s) < STEP_S:
            return False
        self._zero_ms = unix_s * 1000 - now_ms
        return True

    def unix_s(self, at_ms):
        """Unix seconds at a millisecond of the core's clock; None while nothing is known."""
        if self.source == "none":
            return None
        return max(self.floor_s, (self._zero_ms + at_ms) // 1000)

    def stored(self, unix_s):
        """This time is on flash now: the clock never runs below it again."""
        self.floor_s = max(self.floor_s, unix_s)
