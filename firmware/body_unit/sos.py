"""SOS: the state machine. The one thing that must never be lost.

Theory. An SOS is one id with revisions that count up. It lives in one of the states below from the
raise until the county's signed `sos_close`, over reboots and dead batteries, because every change
of state is latched before anything about it is published.

    CLOSED               nothing open
    TEST                 the shift's test: goes the whole way and back, never counted as real
    OPEN                 raised; no signed answer yet: a revision every 5 s
    ANSWERED             the county signed sos_ack: a revision every 30 s
    CANCELLED            the person held again; the county still has not answered: every 5 s
    CANCELLED_ANSWERED   the same with the county's answer: every 30 s

A pair for which TABLE has a "-" does nothing, on purpose: nothing the unit does or feels closes an
open SOS, `seen` is unsigned and so changes only what is felt, a test gesture or test command during
a real SOS changes nothing, an `sos_ack` for a test ends it.

A hold while one is open cancels it (reported; it goes on), a hold after that raises it again: one
button, and the last deliberate hold tells what the person wants. A hold on the cradle is the test;
a hold during the test is meant, on the cradle too.

What is felt counts up and each is felt once per raise: raised, someone has it (any PUBACK), help is
coming (a person at a checkpoint goes, or the county's signature). How an SOS finds a way out when
nobody answers is reach.py.
"""

from body_unit.reach import Reach
from body_unit.sos_latch import CEILING, Latch, pack, unpack

CLOSED, TEST, OPEN, ANSWERED, CANCELLED, CANCELLED_ANSWERED = range(6)

# A row for each state, in this order; a column for each thing that may happen: the next state and
# what is done. One text a row, because a tuple for each cell would lie on the heap.
HAPPENINGS = "hold  alarm  test  ack  close  expire"
TABLE = (
    "2:raise   2:raise  1:raise  -         -      -",  # CLOSED
    "2:raise   2:raise  2:raise  0:end     0:end  0:end",  # TEST
    "4:cancel  2:again  -        3:answer  0:end  -",  # OPEN
    "5:cancel  2:again  -        3:answer  0:end  -",  # ANSWERED
    "2:again   2:again  -        5:answer  0:end  -",  # CANCELLED
    "2:again   2:again  -        5:answer  0:end  -",  # CANCELLED_ANSWERED
)

PACE_MS = {TEST: 5000, OPEN: 5000, CANCELLED: 5000, ANSWERED: 30_000, CANCELLED_ANSWERED: 30_000}
TEST_MS = 120_000  # a test that nobody answered ends; the missing third signal is its result
# A finger that was down while the unit started, or a button that is stuck, never cancels.
BOOT_GRACE_MS = 3000

SIGNALS = ("", "raised", "someone_has_it", "help_is_coming")
REMEMBERED = 8  # SOS publishes whose PUBACK is still recognised


def row(state, what):
    """(next state, action) by TABLE, or None."""
    cell = TABLE[state].split()[HAPPENINGS.split().index(what)]
    return None if cell == "-" else (int(cell[0]), cell[2:])


class Sos:
    def __init__(self, unit):
        self.unit = unit
        self.state = CLOSED
        self.id = ""
        self.kind = "button"
        self.note = ""  # "stuck", "resumed", "battery"
        self.stuck = False
        self._count = 0
        self._revision = 0
        self._ceiling = 0
        self._raised_ms = None  # None: raised before this boot
        self._raised_s = 0
        self._said_ms = 0
        self._felt = 0
        self._located = False
        self._tokens = []
        self._update = 0  # token of the newest update that nobody has acknowledged
        self._reach = Reach(unit)

    # --- what others ask --------------------------------------------------------------------
    def is_open(self):
        """Whether a real SOS is open."""
        return self.state > TEST

    def ids(self):
        """Ids whose sos_ack, help and sos_close are obeyed without a clock."""
        return () if self.state == CLOSED else (self.id,)

    def next_ms(self):
        if self.state == CLOSED:
            return None
        due = self._said_ms + PACE_MS[self.state]
        other = self._reach.next_ms()
        return due if other is None else min(due, other)

    # --- what happens -----------------------------------------------------------------------
    def resume(self, value):
        """At boot, before anything else: what the latch holds."""
        if not value:
            return
        latch = unpack(value)
        if latch is None:
            # A torn latch is an SOS that was being raised when the power went.
            self.unit.log("SOS latch unreadable: raising a new SOS")
            self.note = "resumed"
            self._happen("alarm", "button")
            return
        if latch.state <= TEST or latch.state not in PACE_MS:
            self.unit.emit("latch", b"")
            return
        self.state, self.kind, self.id = latch.state, latch.kind, latch.id
        self._revision, self._raised_s = latch.ceiling, latch.raised_s
        self._raised_ms = None
        self.unit.calling = True
        self.unit.remember(latch.place)
        self.note = "battery" if self.unit.reset_cause in ("power_on", "brownout") else "resumed"
        self.unit.hush("sos", latch.discreet)
        self._latch()
        self._call("cancelled" if self._is_cancelled() else "updated")

    def hold(self, since_ms, on_cradle):
        if self.is_open() and (self.stuck or since_ms < BOOT_GRACE_MS):
            return
        if on_cradle and self.state == CLOSED:
            self._happen("test", "button")
        else:
            self._happen("hold", "button")

    def alarm(self, kind):
        """Raised by the unit itself: silent, fall, checkin."""
        self._happen("alarm", kind)

    def test(self):
        """The county asks for a test; one at a time, and not during an SOS."""
        if self.state == CLOSED:
            self._happen("test", "button")

    def signed(self, what, sos_id):
        """sos_ack, help, sos_close with a valid signature. True if it was for the open one."""
        if self.state == CLOSED or sos_id != self.id:
            return False
        self._reach.answered()
        if what == "sos_close":
            self._happen("close", self.kind)
            return True
        self._signal(3)
        if what == "sos_ack":
            self._happen("ack", self.kind)
        return True

    def seen(self, sos_id, going):
        """A checkpoint's unsigned word: felt, nothing more."""
        if self.state != CLOSED and sos_id == self.id:
            self._signal(3 if going else 2)

    def puback(self, token):
        if token in self._tokens:
            self._tokens.remove(token)
            if token == self._update:
                self._update = 0
            if self.state != CLOSED:
                self._signal(2)

    def refused(self, token):
        """Nobody listens behind this broker (reason 0x10) or it will not take it: go round it."""
        if token in self._tokens and self.is_open():
            self._tokens.remove(token)
            self._reach.other_link()

    def button_fault(self, stuck):
        self.stuck = stuck
        if stuck and self.is_open():
            self.note = "stuck"
            self._say("updated")

    def hushed(self):
        """The unit has become discreet: the open SOS is so from now on, until it is closed."""
        if self.is_open():
            self.unit.hush("sos", True)
            self._latch()
            self._say(self._word())

    def session(self, up):
        """A new broker has not heard of it: tell it at once."""
        if up and self.state != CLOSED:
            self._say(self._word())

    def sms_sent(self, ok):
        self._reach.sms_sent(ok)

    def located(self):
        """A fix came: the first one of an SOS is worth a revision and a latch at once."""
        if not self._located and self.state != CLOSED:
            self._located = True
            self._latch()
            self._say(self._word())

    def tick(self):
        if self.state == CLOSED:
            return
        now = self.unit.now_ms
        if self.state == TEST and now - self._raised_ms >= TEST_MS:
            self._happen("expire", self.kind)
            return
        if now - self._said_ms >= PACE_MS[self.state]:
            self._say(self._word())
        self._reach.tick(self.id)

    # --- the table's actions ----------------------------------------------------------------
    def _happen(self, what, kind):
        found = row(self.state, what)
        if found is None:
            return
        self.state, action = found
        self.unit.calling = self.is_open()
        if what == "alarm":
            self.kind = kind
        elif action == "raise":
            self.kind = "button"
        if action == "raise":
            self._raise()
        elif action == "again":
            self._felt = 0
            self._latch()
            self._call("raised")
        elif action == "cancel":
            self._latch()
            self._say("cancelled", keeps=True)
        elif action == "answer":
            self._latch()
        else:
            self._end()

    def _raise(self):
        self._count += 1
        self.id = "%016x" % ((int(self.unit.identity["boot"], 16) + self._count) & (1 << 64) - 1)
        self._revision = 0
        self._raised_ms = self.unit.now_ms
        self._raised_s = self.unit.unix_s() or 0
        self._tokens = []
        self._update = 0
        self._felt = 0
        if self.stuck:
            self.note = "stuck"
        if self.state != TEST:
            self.unit.hush("sos", self.unit.discreet)
        self._latch()
        self._call("test" if self.state == TEST else "raised")

    def _call(self, word):
        """Say it, make every link try now, and let it be felt."""
        self._located = self.unit.fresh_fix() is not None
        self._say(word)
        self._reach.begin(self.state != TEST)
        self.unit.shine("test" if self.state == TEST else "sos")
        self._signal(1)

    def _end(self):
        self.unit.shine("off")
        self.unit.hush("sos", False)
        self.unit.emit("latch", b"")
        self.id = ""
        self.note = ""
        self._tokens = []
        self._reach.end()

    # --- saying and feeling -----------------------------------------------------------------
    def _is_cancelled(self):
        return self.state in (CANCELLED, CANCELLED_ANSWERED)

    def _word(self):
        if self.state == TEST:
            return "test"
        return "cancelled" if self._is_cancelled() else "updated"

    def _latch(self):
        self._ceiling = self._revision + CEILING
        place = self.unit.place()
        self.unit.emit(
            "latch",
            pack(
                Latch(
                    self.state,
                    self.kind,
                    self.unit.discreet,
                    self._ceiling,
                    place[:4] if place else None,
                    self._raised_s,
                    self.id,
                )
            ),
        )

    def _say(self, word, keeps=False):
        """One revision. A raise and a cancel are kept until acknowledged, of updates the newest."""
        unit = self.unit
        self._revision += 1
        if self._revision >= self._ceiling:
            self._latch()
        fields = {
            "id": self.id,
            "revision": self._revision,
            "state": word,
            "kind": self.kind,
            "discreet": unit.discreet,
        }
        if self._raised_ms is not None:
            fields["since_s"] = (unit.now_ms - self._raised_ms) // 1000
        elif self._raised_s and unit.unix_s() is not None:
            fields["since_s"] = max(0, unit.unix_s() - self._raised_s)
        fix = unit.fix_record()
        if fix is not None:
            fields["fix"] = fix
        if self.note:
            fields["note"] = self.note
        unit.stamp(unit.add_battery(fields))
        token = unit.publish(0, "unit_sos", fields)
        self._said_ms = unit.now_ms
        self._tokens.append(token)
        if len(self._tokens) > REMEMBERED:
            self._tokens.pop(0)
        if word == "raised" or keeps:
            return
        if self._update:
            unit.emit("drop", self._update)
        self._update = token

    def _signal(self, rung):
        if rung > self._felt:
            self._felt = rung
            self.unit.feel_sos(SIGNALS[rung])
