"""A store with its shell: numbers records, declares gaps, remembers what must come out again."""

import os

from body_unit import store_lane
from body_unit.store import Store

TOPIC = "owntracks/c371500/u-0123"
SEGMENT_BYTES = 2048  # instead of 16 KB: the same events with an eighth of the records
BOOTS = ("5f3c9a0e11d2b487", "1111111111111111", "a0a0a0a0a0a0a0a0")


def track(seq, boot=BOOTS[0]):
    """A location as the contract writes it."""
    course = '"cog":%d,' % (seq % 360) if seq % 7 else ""
    return (
        '{"_type":"location","acc":%d,"batt":81,"boot":"%s",%s"lat":31.24%05d,"lon":121.58%05d,'
        '"seq":%d,"t":"t","tid":"23","tst":%d,"v":1,"vel":4}'
        % (seq % 11 + 1, boot, course, seq * 7 % 99999, seq * 3, seq, 1795280401 + 5 * seq)
    ).encode()


def remove_all(folder):
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        os.remove(folder + "/" + name)


class Shell:
    """Numbers what it appends. `said` is what a token must bring back; tracks are computed."""

    def __init__(self, folder, boot=BOOTS[0], **options):
        store_lane.SEGMENT_BYTES = SEGMENT_BYTES
        self.folder = folder
        self.boot = boot
        self.seq = 0
        self.said = {}  # token -> (topic, payload) of everything but tracks
        self.declared = []
        self.store = Store(folder, boot, self._declare, **options)

    def _declare(self, of_boot, first, last, count, why):
        self.declared.append((of_boot, first, last, count, why))
        self.seq += 1
        payload = b"gap %s %d %d %d %s" % (of_boot.encode(), first, last, count, why.encode())
        self.said[(1, self.boot, self.seq)] = ("gap", payload)
        return self.seq, "gap", payload

    def append(self, klass, later=False, ram=False):
        """On flash when it returns, unless `later`: then it is the next steps' business."""
        self.seq += 1
        token = (klass, self.boot, self.seq)
        if klass == 2:
            payload = track(self.seq, self.boot)
        else:
            payload = b"event %d" % self.seq
            self.said[token] = (TOPIC, payload)
        got = self.store.append(klass, self.seq, TOPIC, payload, ram)
        assert got in (None, token)
        if not later and not ram:
            self.store.commit()
        return got

    def done(self, token):
        """PUBACK, and what is to be written of it."""
        self.store.done(token)
        self.store.commit()

    def is_true(self, found):
        """Whether what take() returned is what was appended under that token."""
        token, topic, payload = found
        want = (TOPIC, track(token[2], token[1])) if token[0] == 2 else self.said.get(token)
        return want == (topic, payload)

    def tidy(self):
        steps = 0
        for _ in self.store.tidy():
            steps += 1
        return steps

    def take_all(self, done=True):
        """Everything on offer, in order: [(token, topic, payload), …]."""
        out = []
        while True:
            found = self.store.take()
            if found is None:
                return out
            out.append(found)
            if done:
                self.done(found[0])

    def reboot(self, boot, **options):
        """The next boot's shell, which knows what this one stored."""
        again = Shell(self.folder, boot, **options)
        again.said = self.said
        return again
