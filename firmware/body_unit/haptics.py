"""What is felt and seen, as data, and a player that the button thread can run.

A unit has no screen and is worn under a winter coat: a pattern must be told apart by its count
and its length alone. An SOS has three signals and no more, and they simply count up: one long,
two long, three long.
"""

# name: motor on, off, on, ... in ms; 500 is long, 120 short, 40 a mere tick. One text, because a
# dict of them would lie on the heap: `lengths` reads a row when it is to be felt.
PATTERNS = """
# SOS
raised: 500
someone_has_it: 500 250 500
help_is_coming: 500 250 500 250 500
# an SOS is open, or was just raised, and there is no network: it goes on trying
no_network: 60 60 60 60 60 60 60 60 60 60 60 60 60 60 60
# another person's SOS near here: short short long, twice
assist: 120 120 120 120 500 400 120 120 120 120 500
# something waits for a press: roll call, dispatch, recall
asked: 120 120 120 700 120 120 120
# a press was taken: answer given, mark set, check-in timer started
taken: 120
# about to raise an SOS by itself (silence, fall, check-in): press if all is well
pre_alarm: 500 500 120 500 500 500 120
# the person's own check-in timer runs, has ended
checkin_on: 120 120 120 120 120
checkin_off: 120 400 120 400 120
# the last link is gone; a link is back
link_lost: 40 300 40
link_back: 40
battery_low: 500 200 40
# shift began, shift ended
on_duty: 120 120 500
off_duty: 500 120 120
"""

# name: on, off, on, off, ... in ms, repeated for ever; nothing is dark, one number is steady
LIGHTS = """
off:
# helpers find the person by it
sos: 100 900
test: 500 500
"""


def lengths(table, name):
    """The tuple of ms of a row; ValueError where the table has none of that name."""
    at = table.index("\n%s:" % name)
    return tuple(map(int, table[at : table.index("\n", at + 1)].split()[1:]))


class Player:
    """Plays patterns one after the other; allocates nothing after it was made.

    `play` is called by the shell, `level` by the button thread, both under the thread's lock.
    Patterns wait rather than cut each other short: "someone has it" may come 50 ms after
    "raised". What does not fit into the queue is dropped, newest first.
    """

    def __init__(self, slots=4):
        self._queue = [()] * slots
        self._count = 0
        self._step = 0
        self._since = 0
        self._running = False

    def play(self, pattern):
        """Queue a pattern (a tuple of ms). Returns False when the queue was full."""
        if self._count == len(self._queue):
            return False
        self._queue[self._count] = pattern
        self._count += 1
        return True

    def clear(self):
        """Silence now (discreet)."""
        self._count = 0
        self._running = False

    def level(self, ticks):
        """Is the motor on at `ticks` (which wrap at 2**30)? Call every 10 ms or so."""
        if not self._count:
            return False
        if not self._running:
            self._running = True
            self._step = 0
            self._since = ticks
        pattern = self._queue[0]
        while (ticks - self._since) & 0x3FFFFFFF >= (
            pattern[self._step] if self._step < len(pattern) else PAUSE_MS
        ):
            if self._step >= len(pattern):
                self._next()
                return False
            self._since = (self._since + pattern[self._step]) & 0x3FFFFFFF
            self._step += 1
        return self._step < len(pattern) and not self._step & 1

    def _next(self):
        self._count -= 1
        for i in range(self._count):
            self._queue[i] = self._queue[i + 1]
        self._running = False


PAUSE_MS = 700  # between two patterns, so that two are not felt as one
