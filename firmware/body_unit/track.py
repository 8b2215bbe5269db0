"""Which fixes become reports: an opening window over the fixes since the last report.

The window holds at most SLOTS fixes in preallocated arrays; when it is full every second one is
forgotten and from then on every second fix is taken, so that memory stays flat however long a
straight is. Times are ms since the last report; positions dm east and north of it, up to 3.2 km:
every rule reports long before that.
"""

from array import array

from body_unit import geo

SLOTS = 48
_FARTHEST = 32767  # what 16 bits hold


class Track:
    def __init__(self):
        self._anchor = None  # the last reported fix
        self._last = None  # the fix before this one
        self._east = array("h", bytes(2 * SLOTS))
        self._north = array("h", bytes(2 * SLOTS))
        self._time = array("i", bytes(4 * SLOTS))
        self._used = 0
        self._stride = 1
        self._skip = 0

    def forget(self):
        """Shift ended or tracking stopped: the next fix is reported at once."""
        self._anchor = None
        self._last = None

    def feed(self, rule, fix):
        """(fix to report, "first" or "distance" or "bend" or "time"), or None."""
        anchor, before = self._anchor, self._last
        if anchor is None or before is None:
            self._last = fix
            return self._report(fix, "first")
        self._last = fix
        east, north = geo.offset_dm(anchor.lat7, anchor.lon7, fix.lat7, fix.lon7)
        after_ms = fix.at_ms - anchor.at_ms
        if after_ms > 0 and self._bends(rule.bend_m * 10, east, north, after_ms):
            if before is anchor:
                return self._report(fix, "bend")
            self._report(before, "bend")
            east, north = geo.offset_dm(before.lat7, before.lon7, fix.lat7, fix.lon7)
            self._keep(east, north, fix.at_ms - before.at_ms)
            return before, "bend"
        if east * east + north * north >= rule.distance_m * rule.distance_m * 100:
            return self._report(fix, "distance")
        if after_ms >= rule.time_s * 1000:
            return self._report(fix, "time")
        self._keep(east, north, after_ms)
        return None

    def _report(self, fix, why):
        self._anchor = fix
        self._used = 0
        self._stride = 1
        self._skip = 0
        return fix, why

    def _keep(self, east, north, after_ms):
        self._skip += 1
        if self._skip < self._stride:
            return
        self._skip = 0
        if self._used == SLOTS:
            for i in range(SLOTS // 2):
                j = 2 * i + 1
                self._east[i], self._north[i] = self._east[j], self._north[j]
                self._time[i] = self._time[j]
            self._used = SLOTS // 2
            self._stride *= 2
        i = self._used
        self._east[i] = max(-_FARTHEST, min(_FARTHEST, east))
        self._north[i] = max(-_FARTHEST, min(_FARTHEST, north))
        self._time[i] = after_ms
        self._used += 1

    def _bends(self, limit_dm, east, north, after_ms):
        """Would a line from the anchor to here leave a fix of the window too far off its time?"""
        limit = limit_dm * limit_dm
        for i in range(self._used):
            # permille first: east * ms would leave the small integers of a 32-bit build
            part = self._time[i] * 1000 // after_ms
            off_east = self._east[i] - east * part // 1000
            off_north = self._north[i] - north * part // 1000
            if off_east * off_east + off_north * off_north > limit:
                return True
        return False
