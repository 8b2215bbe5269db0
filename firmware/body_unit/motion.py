"""Moving or still, from fixes and, where a board has one, from the accelerometer."""

from body_unit import geo
from body_unit.power import STILL_AFTER_S, STILL_RADIUS_M


class Motion:
    def __init__(self, unit):
        self._unit = unit
        self._here = None  # the fix that opened the present stay
        self._since_ms = 0  # the last movement that was noticed
        self._shaken = False  # the accelerometer's word

    def moved(self):
        self._here = None
        self._since_ms = self._unit.now_ms

    def shaken(self, moving):
        """What the accelerometer says, when it changes."""
        self._shaken = moving
        self.moved()

    def fix(self, fix):
        here = self._here
        if here is None:
            self._here = fix
            return
        away_dm = geo.distance_dm(here.lat7, here.lon7, fix.lat7, fix.lon7)
        if away_dm > 10 * max(STILL_RADIUS_M, here.acc_m, fix.acc_m):
            self._here = fix
            self._since_ms = self._unit.now_ms

    def is_known(self):
        """Whether movement would be noticed: an accelerometer, or a receiver that is not off."""
        unit = self._unit
        return "accelerometer" in unit.identity["has"] or unit.battery_step in ("normal", "low")

    def last_ms(self):
        """When the unit moved last; now, while it does."""
        return self._unit.now_ms if self._shaken else self._since_ms

    def is_still(self):
        return self._unit.now_ms - self.last_ms() >= STILL_AFTER_S * 1000
