"""A fall of the person, by the accelerometer's samples: free fall, then a hit, then stillness.

    state     until                                                      then
    UPRIGHT   |a| under LOW_MG for LOW_SAMPLES on end                    FALLING
    FALLING   |a| over HIT_MG: the ground                                SETTLING
              HIT_WITHIN samples without it                              UPRIGHT
    SETTLING  SETTLE samples of bouncing, rolling, getting up            LYING
    LYING     a sample MOVED_MG away from the first ones                 LYING anew, until GIVE_UP
              samples after the hit: then UPRIGHT
              LIE samples on end                                         UPRIGHT, and the verdict

The verdict is a fall when "down" has turned by more than 60 degrees against the second before it,
and when it is not the unit alone that fell: a thing that was weightless (not a body that crumples,
some of whose weight is always borne) and now lies as still as a table does. Who breathes sways by
some 20 mg and more wherever the unit is worn. What is left out here is still found by the silence
watch, only later.

What stays below: a run's flight is too short or never ends lying; after a jump one stands; a
motorbike's holes hit hard, but it goes on, or stands upright.
Thresholds: the ranges usual in work on wearable fall detectors; only trials on people show them.
"""

STEP_MS = 20  # between two samples: 50 Hz
LOW_MG = 500
LOW_SAMPLES = 4
HIT_MG = 2500
HIT_WITHIN = 50
SETTLE = 100
LIE = 500  # ten seconds
GIVE_UP = 1000  # who still moves after twenty is on their feet
FIRST = 25  # samples of LYING whose mean is "at rest"
MOVED_MG = 300
WEIGHTLESS_MG = 200  # mean of |a| while falling
ALIVE_MG = 20  # how far apart the samples of one axis are
_SLOW = 64  # samples: the mean that knows where down is

UPRIGHT, FALLING, SETTLING, LYING = range(4)


class Fall:
    """feed() takes samples in mg, 50 a second."""

    def __init__(self):
        self._state = UPRIGHT
        self._count = 0  # samples in this state; of UPRIGHT: low ones on end
        self._age = 0  # samples since the hit
        self._sum = [0, 0, 0]  # _SLOW times the slow mean
        self._before = (0, 0, 0)  # that sum when the flight began
        self._free = 0  # sum of |a| over the samples of the flight
        self._flight = 0
        self._rest = [0, 0, 0]
        self._least = [0, 0, 0]
        self._most = [0, 0, 0]

    def suspects(self):
        """Whether the next samples may decide: nobody should sleep now."""
        return self._state != UPRIGHT

    def feed(self, x, y, z):
        """One sample; True when it was a fall."""
        at = (x, y, z)
        square = x * x + y * y + z * z
        self._count += 1
        return STEPS[self._state](self, at, square)

    def _upright(self, at, square):
        if square >= LOW_MG * LOW_MG:
            self._count = self._free = self._flight = 0
            for axis in range(3):
                self._sum[axis] += at[axis] - self._sum[axis] // _SLOW
            return False
        self._fly(square)
        if self._count >= LOW_SAMPLES:
            self._before = tuple(self._sum)
            self._enter(FALLING)
        return False

    def _fly(self, square):
        self._flight += 1
        self._free += _root(square)

    def _falling(self, at, square):
        if square > HIT_MG * HIT_MG:
            self._age = 0
            self._enter(SETTLING)
        elif self._count >= HIT_WITHIN:
            self._enter(UPRIGHT)
        elif square < LOW_MG * LOW_MG:
            self._fly(square)
        return False

    def _settling(self, at, square):
        if self._count >= SETTLE:
            self._enter(LYING)
        return False

    def _lying(self, at, square):
        count = self._count
        self._age += 1
        if count == 1:
            self._rest = [0, 0, 0]
        for axis in range(3):
            value = at[axis]
            if count <= FIRST:
                self._rest[axis] += value
            elif abs(value - self._rest[axis] // FIRST) > MOVED_MG:
                self._enter(LYING if self._age < GIVE_UP else UPRIGHT)
                return False
            if count == FIRST:
                self._least[axis] = self._most[axis] = value
            elif count > FIRST:
                self._least[axis] = min(self._least[axis], value)
                self._most[axis] = max(self._most[axis], value)
        if count < LIE:
            return False
        self._enter(UPRIGHT)
        return self._turned() and not self._is_thing()

    def _turned(self):
        along = size_before = size_now = 0
        for axis in range(3):
            before, now = self._before[axis] // _SLOW, self._rest[axis] // FIRST
            along += before * now
            size_before += before * before
            size_now += now * now
        return along < 0 or 4 * along * along < size_before * size_now  # cos 60 degrees is a half

    def _is_thing(self):
        spread = 0
        for axis in range(3):
            spread = max(spread, self._most[axis] - self._least[axis])
        return self._free < WEIGHTLESS_MG * self._flight and spread < ALIVE_MG

    def _enter(self, state):
        self._state = state
        self._count = 0


STEPS = (Fall._upright, Fall._falling, Fall._settling, Fall._lying)


def _root(square):
    """Whole square root (Newton); no float, as everywhere in the core."""
    guess = 1024
    for _ in range(12):
        guess = (guess + square // guess) // 2 or 1
    return guess
