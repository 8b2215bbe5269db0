"""What becomes of a fix: doubted or taken, reported by the rule; and what the receiver does."""

from body_unit.doubt import Doubt
from body_unit.motion import Motion
from body_unit.policy import rule
from body_unit.track import Track
from body_unit.unit import add_motion

TRIGGERS = {"time": "t", "locate": "r", "press": "u"}  # OwnTracks' letters


class Position:
    def __init__(self, unit, duty):
        self._unit, self._duty = unit, duty
        self._doubt = Doubt()
        self._track = Track()
        self._mode = ""
        self.motion = Motion(unit)

    def take(self, fix):
        """Make it the unit's place. False when it is not to be believed."""
        unit = self._unit
        unit.has_fix = True
        wrong = self._doubt.of(fix)
        if wrong:
            if self._doubt.is_news() and self.is_tracked():
                self.report(fix, wrong)
            return False
        unit.fix = fix
        self.motion.fix(fix)
        return True

    def track(self, fix):
        """Report it if the rule in force says so. One without a time waits: it could be old."""
        row = self._rule()
        if row is None or self._tst(fix) is None:
            return
        due = self._track.feed(row, fix)
        if due:
            self.report(*due)

    def is_tracked(self):
        """On duty, and with more left in the battery than the SOS's reserve."""
        return self._duty.on and self._rule() is not None

    def begin(self):
        """A shift begins or ends, or the rule has changed: the next fix is reported at once."""
        self.motion.moved()
        self._track.forget()

    def report(self, fix, why):
        """Publish a location."""
        unit = self._unit
        tst = self._tst(fix)
        if tst is None:
            return
        fields = {
            "_type": "location",
            "lat": fix.lat7,
            "lon": fix.lon7,
            "acc": max(1, fix.acc_m),
            "tst": tst,
            "tid": unit.identity["tid"],
        }
        add_motion(fields, fix)
        if why in TRIGGERS:
            fields["t"] = TRIGGERS[why]
        elif why in ("jump", "frozen"):
            fields["mark"] = why
        unit.publish(2, "unit_location", unit.add_battery(fields))

    def settle(self, calling):
        """Tell the receiver when what is wanted of it has changed. `calling`: an SOS or a test."""
        mode = "off"
        if calling:
            mode = "full"
        elif self.is_tracked():
            mode = "still" if self.motion.is_still() else "full"
        if mode != self._mode:
            self._mode = mode
            self._unit.emit("gps", mode)

    def _rule(self):
        return rule(self._duty.level(), self._duty.role, self._unit.battery_step)

    def _tst(self, fix):
        return fix.unix_s or self._unit.unix_s(fix.at_ms)
