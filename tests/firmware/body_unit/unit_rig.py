"""A unit's core on the bench: time, a toy county, and every effect checked as it comes out.

Each effect must be a row of events.EFFECTS, each publish must pass the contract, and nothing may be
felt or seen while the core says it is discreet: a test that forgets to look still fails.
"""

from collections import namedtuple

from toy_county import KID, MODULUS, County  # beside this file

from body_unit import events, haptics
from body_unit.core import Core
from patrol_contract import messages, topics

NOW = 1795280400
LAT = 312480350
LON = 1215873800
BOOT = "5f3c9a0e11d2b487"
HAS = ("charger", "lte", "update")
Fix = namedtuple("Fix", "lat7 lon7 acc_m speed_cms course_deg unix_s at_ms quality")


def identity(boot=BOOT, has=HAS):
    return {
        "unit": "u-0123",
        "county": "c371500",
        "boot": boot,
        "tid": "23",
        "firmware": "0.1.0",
        "board": "virtual",
        "keys": {KID: MODULUS},
        "sms_to": "10086",
        "has": has,
        "brokers": ("county", "k-07"),
    }


class Rig:
    """`do` gives one event, `run` lets time pass; both return the effects and add to `all`."""

    def __init__(self, kept=None, boot=BOOT, has=HAS, county=None):
        self.kept = {} if kept is None else kept
        self.boot = boot
        self.core = Core(identity(boot, has), self.kept)
        self.county = county or County()
        self.now = 0
        self.wake = None
        self.ticks = 0
        self.seq = 0
        self.discreet = False
        self.gps = "off"
        self.all = []

    # --- driving ----------------------------------------------------------------------------
    def start(self, cause="power_on", unix_s=NOW, on_duty=True, links=("wifi",)):
        """Booted, clock set, lifted off the cradle, a link and a broker up."""
        self.do("boot", cause, unix_s)
        self.do("battery", 3900)
        self.do("charger", not on_duty)
        for name in links:
            self.do("link", name, True)
            self.do("session", name, True)
        self.forget()
        return self

    def do(self, *event):
        assert events.fault(events.EVENTS, event) is None, event
        return self._take(self.core.step(self.now, event))

    def run(self, ms):
        """Let `ms` pass, ticking whenever the core asked for it."""
        end = self.now + ms
        out = []
        ticks = 0
        while self.wake is not None and self.wake <= end:
            self.now = max(self.now, self.wake)
            self.wake = None
            ticks += 1
            self.ticks += 1
            assert ticks < 100 + ms // 100, "asked to be woken without end"
            out += self._take(self.core.step(self.now, ("tick",)))
        self.now = end
        return out

    def fix(self, east_m=0, north_m=0, speed_cms=120, course=90, acc_m=5):
        """A fix so far from LAT, LON: 1 m north is 89.83e-7 degree, 1 m east 105.08e-7 there."""
        unix_s = self.core.unit.unix_s(self.now)
        place = LAT + north_m * 8983 // 100, LON + east_m * 10508 // 100
        return self.do(
            "fix", Fix(place[0], place[1], acc_m, speed_cms, course, unix_s, self.now, 1)
        )

    def command(self, cmd, to="u-0123", **own):
        name, payload = self.county.command(to, cmd, own.pop("now_s", NOW), **own)
        return self.deliver(name, payload, to)

    def deliver(self, name, payload, to="u-0123"):
        who = {"C": "c371500", "U": "u-0123", "G": to.split("/")[-1]}
        out = self.do("message", topics.topic(name, **who), payload)
        return out + self.run(600)

    def seen(self, going=True, sos=None):
        fields = {"v": 1, "boot": BOOT, "seq": 1, "sos": sos or self.core.sos.id, "cp": "k-07"}
        fields["going"] = going
        return self.deliver("unit_seen", messages.encode("unit_seen", fields))

    def reboot(self, cause="watchdog", unix_s=NOW, boot="00000000000000aa"):
        """What a reboot leaves: a new Rig with what was kept."""
        rig = Rig(self.kept, boot, county=self.county)
        rig.do("boot", cause, unix_s)
        return rig

    # --- looking ----------------------------------------------------------------------------
    def forget(self):
        self.all = []

    def named(self, name, out=None):
        return [effect for effect in (self.all if out is None else out) if effect[0] == name]

    def said(self, name, out=None):
        """Fields of what was published under this message name."""
        return [e[4] for e in self.named("publish", out) if e[3] == name]

    def felt(self, out=None):
        return [effect[1] for effect in self.named("haptic", out)]

    def acks(self, out=None):
        return [
            (a.get("cmd", ""), a["state"], a.get("why", "")) for a in self.said("unit_ack", out)
        ]

    def _take(self, out):
        for effect in out:
            fault = events.fault(events.EFFECTS, effect)
            assert fault is None, fault
            self._check(effect)
        self.all += out
        return out

    def _check(self, effect):
        name = effect[0]
        if name == "publish":
            self.seq += 1
            fields = {"v": 1, "boot": self.boot, "seq": self.seq}
            fields.update(effect[4])
            messages.encode(effect[3], fields)
            assert effect[2] == topics.klass_of(effect[3], fields), effect
        elif name == "keep":
            self.kept[effect[1]] = effect[2]
            assert len(effect[1]) <= 15 and isinstance(effect[2], bytes), effect
        elif name == "latch":
            self.kept["latch"] = effect[1]
            assert len(effect[1]) <= 64, effect
        elif name == "wake":
            self.wake = effect[1]
        elif name == "gps":
            self.gps = effect[1]
        elif name == "discreet":
            self.discreet = effect[1]
        elif name in ("haptic", "light"):
            assert not self.discreet, effect
            table = haptics.PATTERNS if name == "haptic" else haptics.LIGHTS
            haptics.lengths(table, effect[1])  # ValueError: no such pattern
