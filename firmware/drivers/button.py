"""Button, motor and light in a thread of their own: felt even while the program waits for a flash.

The thread samples the button every 10 ms, lets the motor tick as the hold grows, and drives the
pins. It allocates nothing (an object made there could start a garbage collection on which the
other thread waits) and shares with it a ring of preallocated cells and the player, under one lock.
What the thread saw is fetched by `events`.
"""

import time
from _thread import allocate_lock, start_new_thread
from array import array

from machine import Pin

from body_unit import gesture, haptics
from body_unit.power import BUTTON_STILL_MS

PERIOD_MS = 10
_STILL = BUTTON_STILL_MS // PERIOD_MS
_CELLS = 16


class Button:
    """`rows`: the pin map; a board without a light or a motor has no row for it."""

    def __init__(self, rows: dict, clock):
        self._clock = clock
        row = rows["button"]
        pull = {"up": Pin.PULL_UP, "down": Pin.PULL_DOWN}.get(row.pull)
        self.pin = Pin(row.gpio, Pin.IN, pull) if pull else Pin(row.gpio, Pin.IN)
        self._pressed = 1 if row.active == "high" else 0
        self._motor = _output(rows.get("haptic"))
        self._light = _output(rows.get("light"))
        self._lock = allocate_lock()
        self._player = haptics.Player()
        self._gesture = gesture.Gesture()
        self._codes = bytearray(_CELLS)
        self._ticks = array("i", [0] * _CELLS)
        self._written = 0
        self._read = 0
        self._discreet = False
        self._pattern = ()  # of the light
        self._beats = 0
        self._still = 0  # samples on end with the finger up and the motor off
        self._running = True

    def start(self) -> None:
        start_new_thread(self._run, ())

    def stop(self) -> None:
        """The thread ends within a period."""
        self._running = False

    def events(self) -> list:
        """The core's events since the last call."""
        found = []
        while self._read != self._written:
            cell = self._read % _CELLS
            self._read += 1
            found.append(gesture.event(self._codes[cell], self._clock.ms_of(self._ticks[cell])))
        return found

    def may_call(self) -> bool:
        """An SOS may be a second away: a finger is down, or what it did is not fetched yet."""
        return self._gesture.may_call() or self._read != self._written

    def haptic(self, pattern: str) -> None:
        lengths = haptics.lengths(haptics.PATTERNS, pattern)
        with self._lock:
            self._player.play(lengths)

    def light(self, pattern: str) -> None:
        self._pattern = haptics.lengths(haptics.LIGHTS, pattern)

    def discreet(self, on: bool) -> None:
        with self._lock:
            self._discreet = on
            if on:
                self._pattern = ()
                self._player.clear()

    def beats(self) -> int:
        """Counts on while the thread lives."""
        return self._beats

    def doing(self) -> str:
        """still, or busy while a finger, the motor or the light is: for power.SLEEPS_WITH."""
        return "busy" if self._pattern or self._still < _STILL else "still"

    def _run(self):
        buzz_end = 0
        buzzing = False
        shine_since = 0
        while self._running:
            down = self.pin.value() == self._pressed
            ticks = time.ticks_ms()  # after the level: a flash erase may have stood in between
            code = self._gesture.sample(ticks, down)
            if code != gesture.NOTHING:
                cell = self._written % _CELLS
                self._codes[cell] = code
                self._ticks[cell] = self._gesture.down_ticks
                self._written += 1  # last: what `events` sees is whole
            if self._gesture.buzz_ms:
                buzzing = True
                buzz_end = time.ticks_add(ticks, self._gesture.buzz_ms)
            elif buzzing and time.ticks_diff(ticks, buzz_end) >= 0:
                buzzing = False
            self._lock.acquire()
            on = self._player.level(ticks) or buzzing
            if self._discreet:
                on = False
            self._lock.release()
            self._motor.value(on)
            if on or down:
                self._still = 0
            elif self._still < _STILL:
                self._still += 1
            shine_since = self._shine(ticks, shine_since)
            self._beats = (self._beats + 1) & 0xFFFF
            time.sleep_ms(PERIOD_MS)

    def _shine(self, ticks, since):
        """Drive the light; returns when the pattern's round began."""
        pattern = self._pattern
        if not pattern:
            self._light.value(0)
            return ticks
        at = time.ticks_diff(ticks, since)
        on = 1
        for length in pattern:
            if at < length:
                self._light.value(on)
                return since
            at -= length
            on ^= 1
        self._light.value(1)
        return ticks


class _Nothing:
    """A motor or a light that this board does not have."""

    def value(self, level):
        pass


def _output(row):
    return Pin(row.gpio, Pin.OUT, value=0) if row else _Nothing()
