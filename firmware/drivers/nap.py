"""Light sleep between two things to do: body_unit.power decides whether and for how long.

On MicroPython `machine.lightsleep` stops both cores until the time, or until a pin has the level it
was armed for. The button is armed by ext0 at its level, so nothing pressed just before is missed;
the accelerometer and the modem's ring by ext1, which knows "any of them high" only: whichever reads
high without a reason (a modem that is off, a chip that is mute) is left out.
"""

import esp32
import machine
from machine import Pin

from body_unit.power import nap_ms
from body_unit.sos import CLOSED

_ABSENT = {"wifi": "off", "lte": "off", "receiver": "off", "fall": "no"}  # what this board lacks


class Nap:
    """`parts`: {part of power.SLEEPS_WITH: the driver whose doing() tells}. accel may be None."""

    def __init__(self, rows, shell, parts, care, accel):
        self._shell = shell
        self._parts = parts
        self._care = care
        self._accel = accel
        self._lte = parts.get("lte")
        self._doing = dict(_ABSENT)
        button = rows["button"]
        self._awake = button.wake != "ext0"  # a board whose button cannot wake it never sleeps
        self._button = parts["button"].pin, button.active == "high"
        self._rings = _pin(rows.get("modem_ri")), _pin(rows.get("accel_int"))

    def step(self):
        """Sleep, if it may. Between two steps everybody who is due must have had a turn."""
        if self._awake:
            return
        length_ms = nap_ms(self._now(), self._until_ms())
        if length_ms and self._care.feed():
            self._sleep(length_ms)

    def _now(self):
        doing = self._doing
        for name, part in self._parts.items():
            doing[name] = part.doing()
        core = self._shell.core
        doing["sos"] = "closed" if core.sos.state == CLOSED else "open"
        doing["charger"] = "on" if core.unit.charger else "off"
        doing["lines"] = "quiet"
        for line in self._shell.lines:
            if not line.quiet():
                doing["lines"] = "busy"
        return doing

    def _until_ms(self):
        due = self._shell.wake_ms
        fix = self._parts["receiver"].due_ms()
        if fix is not None and fix < due:
            due = fix
        return due - self._shell.clock.now_ms()

    def _sleep(self, length_ms):
        clock = self._shell.clock
        began = clock.now_ms()
        self._arm()
        if self._lte is not None:
            self._lte.nap(True)
        machine.lightsleep(length_ms)
        if self._lte is not None:
            self._lte.nap(False)
        self._care.slept(clock.now_ms() - began)

    def _arm(self):
        esp32.wake_on_ext0(*self._button)
        ring, stir = self._rings
        pins = []
        if ring is not None and self._lte is not None and self._lte.powered():
            pins.append(ring)
        if stir is not None and self._accel is not None and self._accel.alive:
            pins.append(stir)
        esp32.wake_on_ext1(pins or None, esp32.WAKEUP_ANY_HIGH)


def _pin(row):
    return Pin(row.gpio, Pin.IN) if row is not None and row.wake == "ext1" else None
