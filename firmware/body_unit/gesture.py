"""The one button: bounce, short presses, three presses, the hold, a button that is stuck.

A pure machine for the button thread, which samples the pin every 10 ms or so. It allocates
nothing: ticks go in as the port counts them (they wrap), small integers come out. On the ESP32 an
object made in that thread could start a garbage collection while the other thread waits.

    gesture = Gesture()
    code = gesture.sample(ticks_ms, is_down)   # one of the codes below, NOTHING most of the time
    gesture.buzz_ms                            # > 0: run the motor so long, from now (hold's tick)
    gesture.down_ticks                         # when the finger of this code went down
    gesture.may_call()                         # a finger is down that may yet become a HOLD

How it is told apart (times in ms):

    down < BOUNCE            nothing: a knock, a bounce
    down < PRESS_MAX, up     a press; presses less than GAP apart are counted together
    down < HOLD, up          nothing: a hold given up in time
    down = HOLD              HOLD, at once, while still down; ticks grow towards it
    down = STUCK             STUCK (HOLD has been sent long before: a stuck button still calls)
    up for FREE after STUCK  FREED

A button that is down at the very first sample counts from that sample: somebody who presses
while the unit starts is heard.
"""

NOTHING = 0
PRESS = 1  # one or two presses: a glove doubles one easily
PRESS3 = 2  # three or more
HOLD = 3
STUCK = 4
FREED = 5

BOUNCE_MS = 25  # a level counts once it has lasted so long; tactile switches bounce < 10 ms
OPEN_MS = 60  # a worn contact opens for a moment under a shaking finger: not a release
PRESS_MAX_MS = 700
GAP_MS = 500
HOLD_MS = 1500
STUCK_MS = 60_000
FREE_MS = 10_000
# The hold's growing tick: (held for ms, motor on for ms).
TICKS = ((300, 25), (600, 40), (900, 60), (1200, 85))

_WRAP = 0x3FFFFFFF  # ticks wrap at 2**30 on the ESP32 and at a multiple of it elsewhere


class Gesture:
    def __init__(self):
        self.buzz_ms = 0
        self.down_ticks = 0
        self._down = False  # after debouncing
        self._edge = 0  # when the raw level began to differ from _down
        self._differs = False
        self._up_ticks = 0
        self._presses = 0
        self._told = NOTHING  # HOLD and STUCK are told once per press
        self._tick = 0  # next row of TICKS
        self._stuck = False

    def may_call(self):
        return self._down and self._told == NOTHING

    def sample(self, ticks, is_down):
        """One reading of the button. `is_down` is the finger, not the pin's level."""
        self.buzz_ms = 0
        if is_down == self._down:
            self._differs = False
        elif not self._differs:
            self._differs = True
            self._edge = ticks
        elif (ticks - self._edge) & _WRAP >= (OPEN_MS if self._down else BOUNCE_MS):
            self._differs = False
            return self._released() if self._down else self._pressed()
        return self._held(ticks) if self._down else self._idle(ticks)

    def _pressed(self):
        self._down = True
        self.down_ticks = self._edge
        self._told = NOTHING
        self._tick = 0
        return NOTHING

    def _released(self):
        self._down = False
        self._up_ticks = self._edge
        if (self._edge - self.down_ticks) & _WRAP < PRESS_MAX_MS:
            self._presses += 1
        else:
            self._presses = 0
        return NOTHING

    def _held(self, ticks):
        held = (ticks - self.down_ticks) & _WRAP
        if self._tick < len(TICKS) and held >= TICKS[self._tick][0]:
            if not self._stuck:
                self.buzz_ms = TICKS[self._tick][1]
            self._tick += 1
        if self._told == NOTHING and held >= HOLD_MS:
            self._told = HOLD
            self._presses = 0
            return HOLD
        if self._told == HOLD and held >= STUCK_MS and not self._stuck:
            self._stuck = True
            self._told = STUCK
            return STUCK
        return NOTHING

    def _idle(self, ticks):
        up = (ticks - self._up_ticks) & _WRAP
        if self._presses and up >= GAP_MS:
            code = PRESS3 if self._presses >= 3 else PRESS
            self._presses = 0
            return code
        if self._stuck and up >= FREE_MS:
            self._stuck = False
            return FREED
        return NOTHING


def event(code, held_since_ms):
    """The core's event for a code other than NOTHING (this part may allocate)."""
    if code == HOLD:
        return ("hold", held_since_ms)
    if code == PRESS:
        return ("press", 1)
    if code == PRESS3:
        return ("press", 3)
    return ("button_fault", "stuck" if code == STUCK else "")
