"""Moving or still, from fixes and, where a board has one, from the accelerometer."""

from body_unit import geo
from body_unit.power import STILL_AFTER_S, STILL_RADIUS_M

SHAKEN_MS = 3000  # shaken for so long in all is on the move: a shift of weight is not
CALM_MS = 10_000  # and so long without a shake ends it
STIR_EVERY_MS = 30_000
_TURN_MS = 1000  # the longest time one answer stands for


class Shaking:
    """What the accelerometer's own engine feels, turned into the core's events.

    A leaking bucket: filled while it is shaken, running out while it is not.
    """

    def __init__(self):
        self._full_ms = 0
        self._moving = False
        self._last_ms = 0
        self._told_ms = -STIR_EVERY_MS

    def feed(self, shaken, now_ms):
        """`shaken`: since the last call. The event that follows, or None."""
        passed = min(now_ms - self._last_ms, _TURN_MS)
        self._last_ms = now_ms
        full = self._full_ms + (passed if shaken else -passed)
        self._full_ms = max(0, min(CALM_MS, full))
        if self._moving:
            if not self._full_ms:
                self._moving = False
                return ("motion", False)
            return None
        if self._full_ms >= SHAKEN_MS:
            self._moving = True
            self._full_ms = CALM_MS
            return ("motion", True)
        if shaken and now_ms - self._told_ms >= STIR_EVERY_MS:
            self._told_ms = now_ms
            return ("stir",)
        return None


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
        return unit.feels or unit.battery_step in ("normal", "low")

    def last_ms(self):
        """When the unit moved last; now, while it does."""
        return self._unit.now_ms if self._shaken else self._since_ms

    def is_still(self):
        return self._unit.now_ms - self.last_ms() >= STILL_AFTER_S * 1000
