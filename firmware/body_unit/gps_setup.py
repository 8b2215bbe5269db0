"""Tells the receiver to send RMC, GGA and GSA once a second and nothing else, in its own language.

    setup = Setup()
    for effect in setup.begin(now_ms):            # after each power-on of the receiver
    for effect in setup.feed(data, now_ms):       # every byte it sends, also none; at least 4 Hz
        ("baud", n) | ("write", bytes) | ("done", kind, ok)

    state    leaves with                          for
    SEARCH   an answer: its kind is known         SET
             a whole sentence, no answer          ASK      (the baud rate is right)
             LISTEN_MS of neither                 SEARCH at the next rate; after all: done "none",
                                                  and once more AGAIN_MS later
    ASK      an answer                            SET
             TRIES questions unanswered           done "plain": it is read as it is
    SET      CHECK_MS later: only what we want    done, ok
             something else is still sent         SET again; after TRIES done, not ok

The kind is what answers: a CASIC receiver (AT6558, L76K, ATGM336H) a `$PCAS06` with its software
version as text, a u-blox one UBX-MON-VER. Nothing is saved in the receiver: a wrong setting is gone
with the power. Its rate is left as found: 330 bytes a second fit any of them. Sources: Zhongkewei
"CASIC multimode receiver protocol", u-blox M8 and M10 interface descriptions.
"""

from body_unit import gps_ubx
from body_unit.gps_framer import Framer

BAUDS = (9600, 115200, 38400, 57600, 19200, 4800)  # as shipped first
LISTEN_MS = 1300  # a receiver speaks once a second
ANSWER_MS = 1000
CHECK_MS = 3000  # the sentences already on their way, and then two whole seconds
SETTLE_MS = 1000  # after SET, what still comes was decided before
AGAIN_MS = 30000  # no receiver was found: seek it again
TRIES = 3
WANTED = ("RMC", "GGA", "GSA")


def pcas(body):
    """A CASIC command in NMEA form."""
    checksum = 0
    for c in body:
        checksum ^= c
    return b"$%s*%02X\r\n" % (body, checksum)


# Written out, because what is put together lies on the heap: PCAS06,0 and an empty MON-VER.
QUESTION = b"$PCAS06,0*1B\r\n\xb5\x62\x0a\x04\x00\x00\x0e\x34"

# Every 1000 ms; sentences an epoch of GGA, GLL, GSA, GSV, RMC, VTG, ZDA, ANT, DHV, LPS, -, -, UTC,
# GST.
CASIC = b"$PCAS02,1000*2E\r\n$PCAS03,1,0,1,0,1,0,0,0,0,0,,,0,0*03\r\n"

# Of each NMEA sentence: its UBX id in class F0, the low byte of its key for UART1 (0x209100..),
# once or never an epoch.
_RATES = (
    b"\x00\xbb\x01"  # GGA
    b"\x01\xca\x00"  # GLL
    b"\x02\xc0\x01"  # GSA
    b"\x03\xc5\x00"  # GSV
    b"\x04\xac\x01"  # RMC
    b"\x05\xb1\x00"  # VTG
    b"\x08\xd9\x00"  # ZDA
)


def _ublox():
    """Up to the 9th generation understand CFG-MSG, from the 9th on CFG-VALSET: say both."""
    out = b""
    values = b"\x00\x01\x00\x00"  # version 0, RAM only
    for at in range(0, len(_RATES), 3):
        code, key, rate = _RATES[at : at + 3]
        out += gps_ubx.frame(gps_ubx.CFG_MSG, bytes((0xF0, code, rate)))
        values += bytes((key, 0x00, 0x91, 0x20, rate))
    return out + gps_ubx.frame(gps_ubx.CFG_VALSET, values)


def _settings(kind):
    return CASIC if kind == "casic" else _ublox()


SEARCH, ASK, SET, DONE = "search", "ask", "set", "done"


class Setup:
    """`kind` is "casic", "ublox", "plain" or "none"; `baud` the rate at which it was heard."""

    def __init__(self, baud=BAUDS[0]):
        self.baud = baud
        self.kind = "none"
        self.state = DONE
        self._since_ms = 0
        self._tries = 0
        self._left = []  # rates to try still
        self._framer = None  # type: Framer | None  # only while something is sought or set
        self._frames = None  # type: gps_ubx.Frames | None
        self._heard = set()  # kinds of sentences since the state was entered
        self._answer = None

    def begin(self, now_ms):
        """The receiver has just got power: what is known of it is said again, else it is sought."""
        self._left = [baud for baud in BAUDS if baud != self.baud]
        self._framer = Framer()
        self._frames = gps_ubx.Frames()
        if self.kind == "casic" or self.kind == "ublox":
            return [("baud", self.baud)] + self._enter(SET, now_ms)
        return [("baud", self.baud)] + self._enter(SEARCH, now_ms)

    def feed(self, data, now_ms):
        spent_ms = now_ms - self._since_ms
        if self._framer is None or self._frames is None:  # done
            lost = self.kind == "none" and spent_ms > AGAIN_MS
            return self.begin(now_ms) if lost else ()
        self._framer.feed(data, self._sentence)
        if gps_ubx.MON_VER in self._frames.feed(data):
            self._answer = "ublox"
        if self.state == SEARCH:
            return self._search(now_ms, spent_ms)
        return self._ask(now_ms, spent_ms) if self.state == ASK else self._set(now_ms, spent_ms)

    def _sentence(self, text):
        if text[2:5] == "TXT" and ",SW=" in text:
            self._answer = "casic"
        self._heard.add(text[2:5])

    def _enter(self, state, now_ms):
        if state != self.state:
            self._tries = 0
        self.state = state
        self._since_ms = now_ms
        self._tries += 1
        self._answer = None
        self._heard = set()
        if state == DONE:
            return []
        return [("write", _settings(self.kind) if state == SET else QUESTION)]

    def _done(self, ok, now_ms):
        self._enter(DONE, now_ms)
        self._framer = self._frames = None
        return [("done", self.kind, ok)]

    def _search(self, now_ms, spent_ms):
        if self._answer:
            self.kind = self._answer
            return self._enter(SET, now_ms)
        if spent_ms < LISTEN_MS:
            return []
        if self._heard:
            return self._enter(ASK, now_ms)
        if not self._left:
            self.kind = "none"
            return self._done(False, now_ms)
        self.baud = self._left.pop(0)
        return [("baud", self.baud)] + self._enter(SEARCH, now_ms)

    def _ask(self, now_ms, spent_ms):
        if self._answer:
            self.kind = self._answer
            return self._enter(SET, now_ms)
        if spent_ms < ANSWER_MS:
            return []
        if self._tries < TRIES:
            return self._enter(ASK, now_ms)
        self.kind = "plain"
        return self._done(True, now_ms)

    def _set(self, now_ms, spent_ms):
        if spent_ms < SETTLE_MS:
            self._heard = set()
            return []
        if spent_ms < CHECK_MS:
            return []
        if "RMC" in self._heard and "GGA" in self._heard and not self._unwanted():
            return self._done(True, now_ms)
        if self._tries < TRIES:
            return self._enter(SET, now_ms)
        if not self._heard:  # it speaks another rate now, or no more
            self.kind = "none"
            return self.begin(now_ms)
        return self._done(False, now_ms)

    def _unwanted(self):
        for kind in self._heard:
            if kind not in WANTED and kind != "TXT":
                return True
        return False
