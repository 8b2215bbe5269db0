"""What the county asks of the person: roll call, dispatch, recall, assist. One press answers.

    asked     felt, and felt again every REMIND_MS until answered or over; a press answers the one
              that was felt last
    going     dispatch and assist after the press: on scene when inside the radius and standing

Acks: "received" when the command held (the county can tell *not delivered* from *not answered*),
"answered" (roll call) or "accepted" by the press, "onscene", and "closed" when recalled.
"""

from body_unit import geo

KEPT = 4  # tasks at a time; the oldest makes room
REMIND_MS = 20_000
ASKED_MS = 600_000  # a dispatch, recall or assist waits so long for its press
ASSIST_RADIUS_M = 50
STANDING_CMS = 80
STANDING_MS = 8000
# A discreet SOS must not be given away by a colleague's motor beside the attacker.
DISCREET_FROM_M = 200

PATTERN = {"rollcall": "asked", "dispatch": "asked", "recall": "asked", "assist": "assist"}


class Task:
    def __init__(self, fields, now_ms, until_ms, felt):
        self.fields = fields
        self.cmd = fields["cmd"]
        self.until_ms = until_ms
        self.felt = felt
        self.remind_ms = now_ms + REMIND_MS
        self.going = False
        self.standing_ms = None


class Tasks:
    def __init__(self, unit, orders):
        """orders.Orders: report(fields, state) is the ack."""
        self._unit, self._orders = unit, orders
        self._tasks = []

    def ask(self, fields):
        """A verified roll call, dispatch, recall or assist."""
        now = self._unit.now_ms
        lasts_ms = fields["within_s"] * 1000 if fields["cmd"] == "rollcall" else ASKED_MS
        if fields["cmd"] == "recall":
            for task in self._tasks:
                if task.going or task.cmd == "dispatch":
                    self._orders.report(task.fields, "closed")
            self._tasks = []
        task = Task(fields, now, now + lasts_ms, self._may_feel(fields))
        self._tasks.append(task)
        if len(self._tasks) > KEPT:
            self._tasks.pop(0)
        self._feel(task)

    def press(self):
        """True when something was waiting for it."""
        task = None
        for other in self._tasks:
            if not other.going:
                task = other
        if task is None:
            return False
        self._orders.report(task.fields, "answered" if task.cmd == "rollcall" else "accepted")
        self._unit.feel("taken")
        if task.cmd in ("dispatch", "assist"):
            task.going = True
        else:
            self._tasks.remove(task)
        return True

    def fix(self, fix):
        for task in list(self._tasks):
            if task.going and self._on_scene(task, fix):
                self._orders.report(task.fields, "onscene")
                self._tasks.remove(task)

    def next_ms(self):
        due = None
        for task in self._tasks:
            if not task.going:
                at = min(task.remind_ms, task.until_ms)
                due = at if due is None else min(due, at)
        return due

    def tick(self):
        now = self._unit.now_ms
        for task in list(self._tasks):
            if task.going:
                continue
            if now >= task.until_ms:
                self._tasks.remove(task)
            elif now >= task.remind_ms:
                task.remind_ms = now + REMIND_MS
                self._feel(task)

    def _feel(self, task):
        if task.felt:
            self._unit.feel(PATTERN[task.cmd])

    def _may_feel(self, fields):
        if not fields.get("discreet"):
            return True
        place = self._unit.place()
        return place is not None and (
            geo.distance_dm(place[0], place[1], fields["lat"], fields["lon"]) > DISCREET_FROM_M * 10
        )

    def _on_scene(self, task, fix):
        away_dm = geo.distance_dm(fix.lat7, fix.lon7, task.fields["lat"], task.fields["lon"])
        radius_m = task.fields.get("rad") or ASSIST_RADIUS_M
        if away_dm > radius_m * 10 or fix.speed_cms > STANDING_CMS:
            task.standing_ms = None
            return False
        if task.standing_ms is None:
            task.standing_ms = fix.at_ms
        return fix.at_ms - task.standing_ms >= STANDING_MS
