"""Watching over the person: silence, a fall, a check-in that does not come.

    silence    on duty and unmoving for SILENT_S; with an accelerometer the least stir is a move
    fall       the accelerometer says so
    check-in   no press for the time that the plan sets, or, after three short presses before
               entering a dangerous place, for CHECKIN_S; three presses again end that

Each first warns: a pre-alarm is felt every REMIND_MS for PRE_ALARM_MS, a press says all is well.
Without a press it becomes an SOS of its kind. While the unit is discreet a warning cannot be felt,
so silence is not watched then; a fall and a check-in are, for they do not come by themselves.
"""

SILENT_S = 1200
CHECKIN_S = 900
PRE_ALARM_MS = 60_000
REMIND_MS = 10_000


class Watch:
    def __init__(self, unit, sos, motion):
        self._unit, self._sos, self._motion = unit, sos, motion
        self._on = False
        self._plan_s = 0  # the plan's check-in, 0: none
        self._own = False  # the person's own check-in runs
        self._since_ms = 0  # the last sign of life: a press, a shift that began
        self._stir_ms = 0  # the accelerometer felt something: answers silence, not a check-in
        self._kind = ""  # the pre-alarm that runs
        self._alarm_ms = 0
        self._remind_ms = 0

    def shift(self, on):
        self._on = on
        self._own = False
        self._kind = ""
        self._since_ms = self._unit.now_ms

    def plan(self, checkin_s):
        self._plan_s = checkin_s
        self._since_ms = self._unit.now_ms

    def three_presses(self):
        """Start the person's own check-in timer, or end it."""
        self._own = not self._own
        self._since_ms = self._unit.now_ms
        self._unit.feel("checkin_on" if self._own else "checkin_off")

    def press(self):
        """A sign of life. True when it answered a pre-alarm, and so means nothing else."""
        self._since_ms = self._unit.now_ms
        answered = bool(self._kind)
        if answered:
            self._kind = ""
            self._unit.feel("taken")
        return answered

    def stir(self):
        self._stir_ms = self._unit.now_ms

    def fall(self):
        self._warn("fall")

    def next_ms(self):
        if self._unit.calling:
            return None
        if self._kind:
            return min(self._alarm_ms, self._remind_ms)
        due = None
        for kind in ("checkin", "silent"):
            at = self._due_ms(kind)
            if at is not None and (due is None or at < due):
                due = at
        return due

    def tick(self):
        unit = self._unit
        now = unit.now_ms
        if unit.calling:
            self._kind = ""
            self._since_ms = now
            return
        if self._kind == "silent" and self._moved_ms() > self._alarm_ms - PRE_ALARM_MS:
            self._kind = ""  # moved again: all is well
        if not self._kind:
            for kind in ("checkin", "silent"):
                at = self._due_ms(kind)
                if at is not None and now >= at:
                    self._warn(kind)
                    return
        elif now >= self._alarm_ms:
            kind, self._kind = self._kind, ""
            self._since_ms = now
            self._sos.alarm(kind)
        elif now >= self._remind_ms:
            self._remind_ms = now + REMIND_MS
            unit.feel("pre_alarm")

    def _warn(self, kind):
        if self._kind or self._unit.calling:
            return
        now = self._unit.now_ms
        self._kind = kind
        self._alarm_ms = now + PRE_ALARM_MS
        self._remind_ms = now + REMIND_MS
        self._unit.feel("pre_alarm")

    def _due_ms(self, kind):
        """When this watch will warn, or None while it is off."""
        if kind == "silent":
            if not self._on or self._unit.discreet or not self._motion.is_known():
                return None
            return max(self._moved_ms(), self._since_ms) + SILENT_S * 1000
        lasts_s = CHECKIN_S if self._own else self._plan_s if self._on else 0
        return self._since_ms + lasts_s * 1000 if lasts_s else None

    def _moved_ms(self):
        return max(self._motion.last_ms(), self._stir_ms)
