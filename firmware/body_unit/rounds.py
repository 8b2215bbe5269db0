"""Rounds: which points, lines and areas (点线面) of the plan were walked, and which were not.

Every place (place.py) is entered and left with hysteresis; each enter has its leave, over reboots,
shift ends and new plans too. A visit counts for a point when it lasted `stay_s` and lies in the
point's window. On a line (`ordered`) it counts when no later point of the same round was visited
before; the first point begins a new round, so walking the line back counts for nothing.

At the end of a point's window the unit says which rounds are missing, as an ack of the plan:
state "closed", why "p-03: 1 of 2 rounds". An ack without a reason closes the plan as walked whole.

Kept: the plan as the county signed it, and for each place `id done inside_since` a line.
"""

from body_unit.place import Area, Point
from patrol_contract import ContractError, messages


class Rounds:
    def __init__(self, unit, orders):
        """orders.Orders: report(fields, state, why) is the ack."""
        self._unit, self._orders = unit, orders
        self._plan = {}  # {"id", "cmd", "iat"} of the plan, for its acks
        self._places = []
        self._ordered = False
        self._next = 0  # of an ordered plan: the first point not yet passed in this round
        self._missed = 0
        self.checkin_s = 0

    # --- the plan ---------------------------------------------------------------------------
    def resume(self):
        """At boot: the kept plan and how far it was walked."""
        kept = self._unit.kept.pop("plan", b"")
        if not kept:
            return
        name = "group_cmd" if self._unit.kept.get("plan_of") == b"g" else "unit_cmd"
        try:
            self._adopt(messages.decode(name, kept))
        except (ContractError, MemoryError) as fault:  # the county sends a new one
            self._unit.log("kept plan not readable: %s" % fault)
            return
        rows = {}
        for words in self._unit.kept_rows("rounds", 4):
            rows[words[0]] = words
        for place in self._places:
            words = rows.get(place.id)
            if words:
                place.done, place.since_s = int(words[1]), int(words[2])
                place.closed = words[3] == "1"
        while (
            self._next < len(self._places)
            and self._places[self._next].done > 0
            and (self._places[self._next].done >= self._places[0].done)
        ):
            self._next += 1

    def take(self, fields, payload):
        """A new plan (command `plan`), with its signed payload to keep; ends the old one."""
        self.leave_all()
        self._adopt(fields)
        self._unit.keep("plan_of", b"g" if fields["to"].startswith("g/") else b"u")
        self._unit.emit("keep", "plan", payload if self._places else b"")  # not held in RAM as well
        self._keep()

    def _adopt(self, fields):
        self._plan = {"id": fields["id"], "cmd": "plan", "iat": fields["iat"]}
        self._places = list(map(Point, fields["points"]))
        if fields.get("area"):
            self._places += [Area(fields["area"])]
        self._ordered = bool(fields.get("ordered"))
        self._next = 0
        self._missed = 0
        self.checkin_s = fields.get("checkin_s") or 0

    # --- walking ----------------------------------------------------------------------------
    def fix(self, fix):
        """A believed fix. Without a time of its own or a clock it proves nothing."""
        now_s = fix.unix_s or self._unit.unix_s(fix.at_ms)
        if now_s is None or not self._places:
            return
        for index, place in enumerate(self._places):
            turned = place.feed(fix)
            if turned > 0:
                place.since_s = now_s
                place.counted = False
                self._transition("enter", place, fix, now_s)
                self._keep()
            elif turned < 0:
                self._left(place, fix, now_s)
                self._keep()
            if place.since_s and not place.counted:
                self._count(index, place, now_s)

    def _count(self, index, place, now_s):
        if now_s - place.since_s < place.stay_s or not place.in_window(now_s):
            return
        place.counted = True
        if self._ordered and place.is_point:
            if index == 0:
                self._next = 0
            if index < self._next:
                return
            self._next = index + 1
        place.done += 1
        self._keep()

    def leave_all(self):
        """Shift over, plan replaced, tracking stopped: whoever is inside leaves now."""
        now_s = self._unit.unix_s()
        if now_s is None:
            return
        for place in self._places:
            if place.since_s:
                self._left(place, None, now_s)
                self._keep()

    def shift_over(self):
        """A point without a window belongs to the shift: what is missing is said now."""
        self.leave_all()
        for place in self._places:
            if place.is_point and not place.until_s:
                self._say_missing(place)
                place.done = 0
                self._keep()

    def _left(self, place, fix, now_s):
        place.since_s = 0
        place.outside()
        self._transition("leave", place, fix, now_s)

    def _transition(self, event, place, fix, now_s):
        if fix is None:
            where = self._unit.place() or place.where()
        else:
            where = (fix.lat7, fix.lon7, fix.acc_m)
        self._unit.publish(
            1,
            "unit_transition",
            {
                "_type": "transition",
                "event": event,
                "desc": place.desc,
                "lat": where[0],
                "lon": where[1],
                "acc": max(1, where[2]),
                "tst": now_s,
                "wtst": self._plan["iat"],
                "tid": self._unit.identity["tid"],
                "t": "c",
                "rid": place.id,
            },
        )

    # --- the windows ------------------------------------------------------------------------
    def tick(self):
        """Windows that are over: say what is missing."""
        now_s = self._unit.unix_s()
        if now_s is None:
            return
        for place in self._places:
            if place.until_s and not place.closed and now_s >= place.until_s:
                place.closed = True
                self._say_missing(place)
                if not self._missed and self._all_closed():
                    self._orders.report(self._plan, "closed", "")
                self._keep()

    def _say_missing(self, place):
        if place.done < place.rounds:
            self._missed += 1
            why = "%s: %d of %d rounds" % (place.id, place.done, place.rounds)
            self._orders.report(self._plan, "closed", why)

    def next_ms(self):
        now_s = self._unit.unix_s()
        if now_s is None:
            return None
        first_s = 0
        for place in self._places:
            if place.until_s and not place.closed and not 0 < first_s < place.until_s:
                first_s = place.until_s
        return self._unit.now_ms + max(0, first_s - now_s) * 1000 if first_s else None

    def _all_closed(self):
        for place in self._places:
            if place.until_s and not place.closed:
                return False
        return True

    def _keep(self):
        rows = []
        for p in self._places:
            rows.append("%s %d %d %d" % (p.id, p.done, p.since_s, 1 if p.closed else 0))
        self._unit.keep("rounds", "\n".join(rows).encode())
