"""How the unit itself is: the health report, the boots it counted, safe mode.

Three boots within ten minutes are a loop: the unit then keeps only what saves lives (SOS, GPS, one
link) and leaves the rest alone. No clock is needed for that: a boot is counted when it happens and
forgotten when the unit has run for ten minutes.
"""

from body_unit.power import HEALTH_S

SAFE_BOOTS = 3
LIVED_MS = 600_000
SAFE_STAY_MS = 1_800_000  # then one more try of the whole, if no SOS is open
ORDERED = "ordered"  # kept before a reboot that was asked for: it does not count


class Health:
    def __init__(self, unit):
        self._unit = unit
        self.safe = False
        self._faults = {}  # {part: what is wrong with it}
        self._resets = 0
        self._lived = False
        self._due_ms = 0

    def boot(self):
        unit = self._unit
        kept = unit.kept
        self._resets = int(kept.get("resets", b"") or b"0") + 1
        unit.keep("resets", b"%d" % self._resets)
        boots = int(kept.get("boots", b"") or b"0")
        if not kept.get(ORDERED) and unit.reset_cause != "deep_sleep":
            boots += 1
        unit.keep(ORDERED, b"")
        unit.keep("boots", b"%d" % boots)
        self.safe = boots >= SAFE_BOOTS
        if self.safe:
            unit.log("safe mode after %d boots in ten minutes" % boots)

    def reboot(self, why):
        """A reboot that is meant; nothing calls this during an SOS."""
        self._unit.keep(ORDERED, b"1")
        self._unit.last.append(("reboot", why))

    def next_ms(self):
        return self._due_ms if self._lived else min(self._due_ms, LIVED_MS)

    def tick(self, calm):
        """`calm`: no SOS and no test is open."""
        unit = self._unit
        if not self._lived and unit.now_ms >= LIVED_MS:
            self._lived = True
            unit.keep("boots", b"0")
        if self.safe and calm and unit.now_ms >= SAFE_STAY_MS:
            self.reboot("trying the whole unit again after safe mode")
        if unit.now_ms >= self._due_ms:
            self.report()

    def broken(self, part, why):
        """A part of the unit is broken, or "" no longer: told at once and with every report."""
        if why:
            self._faults[part] = why
        else:
            self._faults.pop(part, None)
        self.report()

    def report(self):
        unit = self._unit
        step = unit.battery_step
        self._due_ms = unit.now_ms + 1000 * (HEALTH_S.get(step) or HEALTH_S["reserve"])
        fields = dict(unit.vitals)
        fields["uptime_ms"] = unit.now_ms
        fields["resets"] = self._resets
        fields["reset"] = unit.reset_cause
        fields["link"] = unit.links[0] if unit.links else "none"
        if unit.battery_mv is not None:
            fields["mv"] = unit.battery_mv
        place = unit.place()
        if place is not None:
            fields["fix_age_s"] = place[4]
        if self._faults:
            fields["fault"] = ", ".join(map(" ".join, sorted(self._faults.items())))
        now_s = unit.unix_s()
        if now_s is not None:
            fields["tst"] = now_s
        unit.publish(2, "unit_health", unit.add_battery(fields))
