"""The core: one step(now_ms, event) -> effects. Pure: no pin, no socket, no clock of its own.

It only composes the parts and says which of them hears of an event; each part's rules are in its
own file. The events and effects are the tables of events.py.
"""

from body_unit.cover import Cover
from body_unit.duty import Duty
from body_unit.health import Health
from body_unit.obey import obey
from body_unit.orders import Orders
from body_unit.position import Position
from body_unit.power import MODEM, TICK_STILL_S, percent, step
from body_unit.rounds import Rounds
from body_unit.sos import BOOT_GRACE_MS, CLOSED, Sos
from body_unit.tasks import Tasks
from body_unit.unit import Unit
from body_unit.watch import Watch

CLOCKS = {"gps": "gps", "county": "net", "rtc": "stored"}  # our sources in the contract's words


class Core:
    def __init__(self, identity, kept):
        """Both are described in events.py. Nothing happens before the first event, "boot"."""
        self.unit = unit = Unit(identity, dict(kept))
        self.sos = Sos(unit)
        self.duty = Duty(unit)
        self.health = Health(unit)
        self.position = Position(unit, self.duty)
        self.cover = Cover(unit)
        self.watch = Watch(unit, self.sos, self.position.motion)
        self.orders = Orders(self)
        self.tasks = Tasks(unit, self.orders)
        self.rounds = Rounds(unit, self.orders)
        self._wake_ms = None

    def step(self, now_ms, event):
        """One event in, a list of effects out, to be carried out in order."""
        unit = self.unit
        unit.now_ms = now_ms
        unit.out = []
        HANDLERS[event[0]](self, *event[1:])
        self._settle()
        if unit.last:
            unit.out += unit.last
            unit.last = []
        return unit.out

    def state(self, online, session, link):
        """Fields of unit_state: birth (online) and will. `session` counts connections,
        `link` is the one it goes over: both may be up while the unit roams."""
        unit = self.unit
        fields = {
            "online": online,
            "session": session,
            "firmware": unit.identity["firmware"],
            "board": unit.identity["board"],
            "reset": unit.reset_cause,
            "clock": CLOCKS.get(unit.clock.source, "none"),
            "on_duty": self.duty.on,
            "role": self.duty.role,
            "safe_mode": self.health.safe,
        }
        if self.duty.member:
            fields["member"] = self.duty.member
        fields["link"] = link
        fields["has"] = has = list(unit.identity["has"])
        if "accelerometer" in has and not unit.feels:
            has.remove("accelerometer")
        return unit.stamp(fields)

    def obey(self, fields, payload):
        """What a verified command does; -> (ack state, why or "")."""
        return obey(self, fields, payload)

    def plan(self, fields, payload):
        """The command `plan`: what is to be walked from now on."""
        self.rounds.take(fields, payload)
        self.watch.plan(self.rounds.checkin_s)
        return "accepted", ""

    # --- events -----------------------------------------------------------------------------
    def _boot(self, reset_cause, unix_s):
        unit = self.unit
        unit.reset_cause = reset_cause
        if unix_s is not None:
            unit.clock.offer(unix_s, "rtc", unit.now_ms)
        unit.hush("command", bool(unit.kept.get("discreet")))
        self.sos.resume(unit.kept.get("latch"))
        self.health.boot()
        if not self.health.safe:
            self.rounds.resume()
            self.watch.plan(self.rounds.checkin_s)
        unit.emit("groups", self.duty.listens())
        if "charger" not in unit.identity["has"] and unit.kept.get("on_duty"):
            if reset_cause == "power_on":
                unit.keep("on_duty", b"")  # switched off: that shift is over
            else:
                self._shift(True)
        if self.sos.state == CLOSED:
            unit.emit("links", "one", False)

    def _hold(self, since_ms):
        # A board without a charger line: held while it is switched on, the shift begins. Only
        # then: after any other reset, or once on duty, a hold is an SOS.
        unit = self.unit
        if (
            "charger" not in unit.identity["has"]
            and not self.duty.on
            and since_ms < BOOT_GRACE_MS
            and unit.reset_cause == "power_on"
            and self.sos.state == CLOSED
        ):
            self._shift(True)
        else:
            self.sos.hold(since_ms, unit.charger)

    def _press(self, count):
        unit = self.unit
        if self.health.safe or self.watch.press():
            return
        if count == 3 and not self.sos.is_open():
            self.watch.three_presses()
            return
        if self.tasks.press():
            return
        fields = {}
        fix = unit.fix_record()
        if fix is not None:
            fields["fix"] = fix
        unit.publish(1, "unit_mark", unit.stamp(fields))
        unit.feel("taken")

    def _button_fault(self, why):
        self.sos.button_fault(why == "stuck")
        self.health.broken("button", why)

    def _fix(self, fix):
        if not self.position.take(fix):
            return
        self.sos.located()
        if self.position.is_tracked() and not self.health.safe:
            self.position.track(fix)
            self.tasks.fix(fix)
            self.rounds.fix(fix)

    def _no_fix(self):
        self.unit.has_fix = False

    def _time(self, unix_s, source):
        if self.unit.clock.offer(unix_s, source, self.unit.now_ms):
            self.unit.emit("clock", unix_s)

    def _charger(self, present):
        self.unit.charger = present
        if "charger" in self.unit.identity["has"]:
            self._shift(not present)

    def _shift(self, on):
        if self.duty.on and not on and not self.health.safe:
            self.rounds.shift_over()
            fix = self.unit.fresh_fix()
            if fix is not None:
                self.position.report(fix, "last")
        if self.duty.shift(on):
            self.unit.keep("on_duty", b"1" if on else b"")
            self.position.begin()
            self.watch.shift(on and not self.health.safe)

    def _battery(self, mv):
        unit = self.unit
        unit.battery_mv = mv
        before = unit.battery_step
        unit.battery_step = step(percent(mv), before)
        if unit.battery_step != before:
            if MODEM[unit.battery_step] != MODEM[before]:
                unit.emit("modem", MODEM[unit.battery_step])
            self.position.begin()
            if not self.position.is_tracked():
                self.rounds.leave_all()
            self.health.report()
            if unit.battery_step != "normal" and not unit.charger:
                unit.feel("battery_low")

    def _motion(self, moving):
        self.position.motion.shaken(moving)

    def _stir(self):
        self.watch.stir()

    def _fall(self):
        if self.duty.on and not self.health.safe:
            self.watch.fall()

    def _accelerometer(self, alive):
        self.unit.feels = alive
        if not alive:
            self.position.motion.shaken(False)
        self.health.broken("accelerometer", "" if alive else "silent")
        self.unit.emit("birth")

    def _link(self, name, up):
        links = self.unit.links
        had = bool(links)
        if up and name not in links:
            links.append(name)
        elif not up and name in links:
            links.remove(name)
        self.cover.changed(had)

    def _session(self, broker, up):
        sessions = self.unit.sessions
        if up and broker not in sessions:
            sessions.append(broker)
        elif not up and broker in sessions:
            sessions.remove(broker)
        self.sos.session(up)

    def _puback(self, token):
        self.sos.puback(token)

    def _refused(self, token, reason):
        self.sos.refused(token)

    def _message(self, topic, payload):
        self.orders.message(topic, payload)

    def _sms_sent(self, ok):
        self.sos.sms_sent(ok)

    def _vitals(self, values):
        self.unit.vitals = values

    def _tick(self):
        self._wake_ms = None
        self.sos.tick()
        self.orders.tick()
        self.health.tick(self.sos.state == CLOSED)
        if not self.health.safe:
            self.watch.tick()
            self.tasks.tick()
            self.rounds.tick()

    # --- after every event ------------------------------------------------------------------
    def _settle(self):
        self.position.settle(self.sos.state != CLOSED)
        wake_ms = self.unit.now_ms + TICK_STILL_S * 1000
        for due_ms in (
            self.sos.next_ms(),
            self.orders.next_ms(),
            self.watch.next_ms(),
            self.tasks.next_ms(),
            self.rounds.next_ms(),
            self.health.next_ms(),
        ):
            if due_ms is not None and due_ms < wake_ms:
                wake_ms = due_ms
        # Earlier than what the shell was asked for, or nothing asked yet: ask.
        if self._wake_ms is None or wake_ms < self._wake_ms:
            self._wake_ms = wake_ms
            self.unit.emit("wake", wake_ms)


HANDLERS = {
    "boot": Core._boot,
    "hold": Core._hold,
    "press": Core._press,
    "button_fault": Core._button_fault,
    "fix": Core._fix,
    "no_fix": Core._no_fix,
    "time": Core._time,
    "charger": Core._charger,
    "battery": Core._battery,
    "motion": Core._motion,
    "stir": Core._stir,
    "fall": Core._fall,
    "accelerometer": Core._accelerometer,
    "link": Core._link,
    "session": Core._session,
    "puback": Core._puback,
    "refused": Core._refused,
    "message": Core._message,
    "sms_sent": Core._sms_sent,
    "vitals": Core._vitals,
    "tick": Core._tick,
}
