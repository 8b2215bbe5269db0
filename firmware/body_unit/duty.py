"""On duty or not, who carries the unit, and how closely it is to report.

A shift begins when the unit is lifted off its charger and ends when it is put back. A board without
a charger line begins one by a hold while it is switched on (core.py), and ends it by power off.
The duty level comes signed and retained per group; of one group the later `since` wins, of several
groups the highest level in force does.
"""

from body_unit.policy import LEVELS

ROLE = "volunteer"  # until the county assigns one: the finest rule


class Duty:
    def __init__(self, unit):
        self._unit = unit
        self.on = False
        self.member = ""
        self.role = ROLE
        self.groups = ()
        self._levels = {}  # group: (level, since, until or 0)
        self._load()

    def _load(self):
        kept = self._unit.kept
        words = kept.get("assign", b"").decode().split("\n")
        if len(words) >= 2:
            self.member, self.role = words[0], words[1]
            self.groups = tuple(words[2:])
        for group, level, since, until in self._unit.kept_rows("levels", 4):
            self._levels[group] = (level, int(since), int(until))

    def shift(self, on):
        """Begin or end a shift; True if that was news."""
        if on == self.on:
            return False
        self.on = on
        self._unit.feel("on_duty" if on else "off_duty")
        self._unit.emit("birth")
        return True

    def assign(self, fields):
        """Bind member, role and groups (command `assign`); the unit's id stays its own."""
        self.member, self.role = fields["member"], fields["role"]
        self.groups = tuple(fields["groups"])
        kept = "\n".join((self.member, self.role) + self.groups)
        self._unit.keep("assign", kept.encode())
        self._unit.emit("groups", self.listens())
        self._unit.emit("birth")

    def listens(self):
        """The groups whose commands and duty level are ours."""
        return ("all",) + self.groups

    def set_level(self, group, fields):
        """A signed duty message. False when a later one is already known."""
        known = self._levels.get(group)
        if known is not None and fields["since"] < known[1]:
            return False
        self._levels[group] = (fields["level"], fields["since"], fields.get("until") or 0)
        rows = []
        for name, row in sorted(self._levels.items()):
            rows.append("%s %s %d %d" % ((name,) + row))
        self._unit.keep("levels", "\n".join(rows).encode())
        return True

    def level(self):
        """The highest level in force now. Without a clock an end cannot be seen: it holds."""
        now_s = self._unit.unix_s()
        best = 0
        for group, (level, since, until) in self._levels.items():
            if group not in self.listens():
                continue
            if now_s is not None and (now_s < since or (until and now_s >= until)):
                continue
            best = max(best, LEVELS.index(level))
        return LEVELS[best]
