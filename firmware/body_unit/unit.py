"""What the parts of the core share: who we are, where and when, and the effects of this step.

One gate for each law: everything felt or seen passes `feel` and `shine`, which are silent while
the unit is discreet; everything said passes `publish`, which counts the tokens; a position leaves
only through `fix_record` and `place`, which know its age.
"""

from body_unit import power
from body_unit.clock import Clock

AGE_UNKNOWN_S = (1 << 31) - 1  # a kept position and no clock: certainly not current
FRESH_MS = 10_000  # an older fix is no longer where the unit is


class Unit:
    def __init__(self, identity, kept):
        self.identity = identity
        self.kept = kept
        self.now_ms = 0
        self.out = []  # the effects of this step
        self.last = []  # those that come after all others: nothing follows a reboot
        self.discreet = False  # nothing felt, nothing seen
        self._hushed_by = []  # why: "command", "sos"
        self.calling = False  # a real SOS is open
        self.fix = None  # the last gps.Fix, however old
        self.has_fix = False  # the receiver has one now
        self.kept_fix = None
        self.battery_mv = None
        self.battery_step = "normal"
        self.charger = False
        self.feels = "accelerometer" in identity["has"]  # and it answers
        self.links = []  # names of those up
        self.sessions = []  # brokers that answer
        self.vitals = {}
        self.reset_cause = "power_on"
        self.clock = Clock(identity.get("floor_s", 0))
        self._tokens = 0

    # --- effects ---------------------------------------------------------------------------
    def emit(self, *effect):
        self.out.append(effect)

    def feel(self, pattern):
        """Everything but an SOS's own signals: while one is open, only those are felt."""
        if not self.calling:
            self.feel_sos(pattern)

    def feel_sos(self, pattern):
        if not self.discreet:
            self.out.append(("haptic", pattern))

    def shine(self, pattern):
        if not self.discreet:
            self.out.append(("light", pattern))

    def hush(self, why, on):
        """Be discreet for the reason `why` (or no longer); the last reason gone ends it."""
        if on and why not in self._hushed_by:
            self._hushed_by.append(why)
        elif not on and why in self._hushed_by:
            self._hushed_by.remove(why)
        if self.discreet != bool(self._hushed_by):
            self.discreet = not self.discreet
            self.out.append(("discreet", self.discreet))

    def keep(self, key, value):
        if self.kept.get(key) != value:
            self.kept[key] = value
            self.out.append(("keep", key, value))

    def kept_rows(self, key, width):
        """A kept table: its lines of `width` words. What is not such a line is left out."""
        try:
            lines = self.kept.get(key, b"").decode().split("\n")
        except UnicodeError:
            self.log("kept %s is not readable" % key)
            return []
        rows = []
        for line in lines:
            words = line.split(" ")
            if len(words) == width:
                rows.append(words)
        return rows

    def log(self, text):
        self.out.append(("log", text))

    def publish(self, klass, name, fields):
        """Returns the token which "puback" will bring back."""
        self._tokens += 1
        self.out.append(("publish", self._tokens, klass, name, fields))
        return self._tokens

    # --- time ------------------------------------------------------------------------------
    def unix_s(self, at_ms=None):
        """Unix seconds at `at_ms` (now), or None while the unit has no clock."""
        return self.clock.unix_s(self.now_ms if at_ms is None else at_ms)

    def stamp(self, fields, at_ms=None):
        """Add `tst`, or `uptime_ms` while there is no clock."""
        unix_s = self.unix_s(at_ms)
        if unix_s is None:
            fields["uptime_ms"] = self.now_ms if at_ms is None else at_ms
        else:
            fields["tst"] = unix_s
        return fields

    # --- place -----------------------------------------------------------------------------
    def fresh_fix(self):
        """The fix if it says where the unit is now, else None."""
        fix = self.fix
        if fix is not None and self.has_fix and self.now_ms - fix.at_ms <= FRESH_MS:
            return fix
        return None

    def remember(self, place):
        """At boot: (lat7, lon7, acc_m, unix_s or 0) from before it, or None."""
        self.kept_fix = place

    def place(self):
        """(lat7, lon7, acc_m, unix_s or 0, age_s) of the best known position, or None."""
        fix = self.fix
        if fix is not None:
            age_s = (self.now_ms - fix.at_ms) // 1000
            return fix.lat7, fix.lon7, fix.acc_m, self.unix_s(fix.at_ms) or 0, max(0, age_s)
        if self.kept_fix is None:
            return None
        lat7, lon7, acc_m, unix_s = self.kept_fix
        now_s = self.unix_s()
        age_s = AGE_UNKNOWN_S if now_s is None or not unix_s else max(0, now_s - unix_s)
        return lat7, lon7, acc_m, unix_s, age_s

    def fix_record(self):
        """The contract's `fix` of SOS, mark and ack, or None."""
        place = self.place()
        if place is None:
            return None
        lat7, lon7, acc_m, unix_s, age_s = place
        record = {"lat": lat7, "lon": lon7, "acc": max(1, acc_m), "age_s": age_s}
        if unix_s:
            record["tst"] = unix_s
        fix = self.fresh_fix()
        if fix is not None:
            add_motion(record, fix)
        return record

    # --- battery ---------------------------------------------------------------------------
    def percent(self):
        return None if self.battery_mv is None else power.percent(self.battery_mv)

    def add_battery(self, fields):
        if self.battery_mv is not None:
            fields["batt"] = power.percent(self.battery_mv)
        return fields


def add_motion(fields, fix):
    """OwnTracks `vel` (km/h) and `cog` (degree) of a fix that knows them."""
    fields["vel"] = min(1000, (fix.speed_cms * 36 + 500) // 1000)
    if fix.course_deg is not None:
        fields["cog"] = fix.course_deg % 360
    return fields
