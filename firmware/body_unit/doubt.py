"""Fixes that cannot be right: an impossible speed, a receiver that hangs.

A doubted fix is marked and told once, and is not taken for where the unit is: the last good one
grows old instead, and says so. Several in a row that agree are believed in the end.
"""

from body_unit import geo

JUMP_CMS = 5000  # 180 km/h: nobody patrols so fast
JUMPS_BELIEVED = 5  # so many in a row: the place before was the wrong one
FROZEN_FIXES = 60  # equal to the last digit while the speed is not 0: a receiver that hangs
WALKING_CMS = 60


class Doubt:
    def __init__(self):
        self._last = None  # the last fix that was believed
        self._jumps = 0
        self._same = 0

    def of(self, fix):
        """What is wrong with this fix, "jump" or "frozen"; "" when it is to be believed."""
        last = self._last
        if last is not None:
            if _jumped(last, fix) and self._jumps + 1 < JUMPS_BELIEVED:
                self._jumps += 1
                return "jump"
            if self._frozen(last, fix):
                return "frozen"
        self._jumps = 0
        self._last = fix
        return ""

    def is_news(self):
        """Whether the fix just doubted is the first of its run: one report is enough."""
        return self._jumps == 1 or self._same == FROZEN_FIXES

    def _frozen(self, last, fix):
        if fix.speed_cms < WALKING_CMS or last.lat7 != fix.lat7 or last.lon7 != fix.lon7:
            self._same = 0
            return False
        self._same += 1
        return self._same >= FROZEN_FIXES


def _jumped(last, fix):
    gap_ms = fix.at_ms - last.at_ms
    if gap_ms <= 0:
        return False
    moved_dm = geo.distance_dm(last.lat7, last.lon7, fix.lat7, fix.lon7)
    moved_dm -= 10 * (last.acc_m + fix.acc_m)  # what both may be off by is not speed
    return moved_dm * 10_000 // gap_ms > JUMP_CMS
