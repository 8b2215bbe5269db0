"""The unit's queue on flash: what was appended is sent once, in order, over any number of reboots.

    store = Store("/flash/queue", boot, declare)
    token = store.append(klass, seq, topic, payload)    # on flash when it returns
    store.take() -> (token, topic, payload) or None     # next: SOS, then events, then tracks
    store.done(token)                                   # PUBACK says success
    store.rewind()                                      # new connection: offer what was not done
    for _ in store.tidy(): ...                          # make room, one short step at a time

boot     16 hex characters of this boot. Records of earlier boots keep theirs, and their seq.
klass    0 SOS, 1 events and acks, 2 telemetry. Sent in this order; within a class as appended.
token    (klass, boot, seq): equal for append, take and done, and after a reboot.
declare  declare(of_boot, first, last, count, why) -> (seq, topic, payload) of a `unit_gap`, stamped
         by the shell with this boot's next seq. `why` is "full", "thinned", "corrupt" or "dropped".
         The store appends it as class 1 before the records it speaks of are gone.

append(klass, seq, topic, payload, later=False) -> token, or None when there was no room: its seq
    then goes into a gap. Class 2 is refused when its budget is used up (tidy() did not keep pace);
    class 1 only with the flash full and HELD records waiting in RAM; class 0 never.
    later=True keeps the record in RAM, ready for take(), and spares the 45 ms erase: for an SOS,
    which is latched already (store_latch.py). It is written by the next commit() or append(), so
    flash always holds a prefix of what was numbered: no hole that nobody declared.
commit() -> True when nothing is left in RAM; False when the flash is full (tidy() makes room).
take() gives each record once; the window (how many are taken and not done) is the caller's.
done() of an unknown token is ignored. After a power cut at most `slack` finished records are
    offered again: how far we are is written every `slack` of them, and by tidy().
drop(token, why) -> True: not taken yet, so forget it and declare it. False: too late, it is sent.
    Better not number what will be superseded: stamp an SOS update only when a session can take it.
tidy() is a generator; one step writes at most one flash block. Run it from a task every few
    seconds: it writes what is still in RAM, thins tracks when 3/4 of the budget is used (every
    second record, twice at most), and above 7/8 drops the oldest.
waiting() -> how many records are not done yet (of earlier boots only about); lanes[klass].waiting
    those of one class.

Never dropped: classes 0 and 1. Class 2: thinned, then oldest first, always declared. A power cut at
any block write leaves every record whose append returned, and nothing torn.
"""

import os
import struct
from binascii import crc32, unhexlify

from body_unit import store_room
from body_unit.store_lane import Lane

HELD = 32  # records of class 1 kept in RAM while the flash is full
BUDGET = 1024 * 1024  # bytes of class 2: 24 h at one track in 5 s are 0.8 MB
SLACK = 4
_LOSSES = 8  # ranges kept apart; more are declared as one wider range, with the true count
_HEADS = "<6I"  # (segment, offset) of the three heads; their crc32 behind it
_EEXIST = 17


class Store:
    """See above. `fault` is the errno of the last write that failed, 0 while all is well."""

    def __init__(self, folder, boot, declare, budget=BUDGET, slack=SLACK):
        self.folder = folder
        self.boot = boot
        self.budget = budget
        self.fault = 0
        self._declare = declare
        self._slack = slack
        self._boot_bytes = unhexlify(boot)
        self._held = []  # [token, boot, seq, text, taken], not yet on flash, as numbered
        self._lost = []  # [boot, why, first, last, count], not yet declared
        self._finished = 0  # records done since the heads were written
        try:
            os.mkdir(folder)
        except OSError as e:
            if e.args[0] != _EEXIST:
                raise
        names = os.listdir(folder)
        heads = self._load_heads() if "heads" in names else ((), (), ())
        self.lanes = [Lane(folder, klass, names, heads[klass]) for klass in (0, 1, 2)]

    # --- append ------------------------------------------------------------------------------
    def append(self, klass, seq, topic, payload, later=False):
        if klass == 2:
            refused = self.fault or self.lanes[2].bytes >= self.budget
        else:
            refused = klass == 1 and self.fault and len(self._held) >= HELD
        if refused:
            self.lose(self.boot, seq, seq, 1, "full")
            return None
        self._hold(klass, seq, topic, payload)
        if not later:
            self.commit()
        return (klass, self.boot, seq)

    def _hold(self, klass, seq, topic, payload):
        text = topic.encode() + b"\n" + payload
        self._held.append([(klass, self.boot, seq), self._boot_bytes, seq, text, False])
        self.lanes[klass].held += 1

    def commit(self):
        while self._held:
            klass = self._held[0][0][0]
            count = 1
            while count < len(self._held) and self._held[count][0][0] == klass:
                count += 1
            try:
                self.lanes[klass].write(self._held[:count])
            except OSError as e:
                self.fault = e.args[0]
                return False
            self._held = self._held[count:]
        self.fault = 0
        return True

    # --- send --------------------------------------------------------------------------------
    def take(self):
        for lane in self.lanes:
            found = lane.take() or self._take_held(lane.klass)
            while lane.damage:
                boot, first, last = lane.damage.pop()
                self.lose(boot, first, last, 1, "corrupt")
            if found:
                token, text = found
                end = text.find(b"\n")
                return token, text[:end].decode(), text[end + 1 :]
        return None

    def _take_held(self, klass):
        for record in self._held:
            if record[0][0] == klass and not record[4]:
                record[4] = True
                return record[0], record[3]
        return None

    def done(self, token):
        at = self._find_held(token)
        if at >= 0:
            self._let_go(at)  # never needs to touch the flash
        elif self.lanes[token[0]].done(token):
            self._finished += 1
            if self._finished >= self._slack:
                self.settle()

    def drop(self, token, why):
        at = self._find_held(token)
        if at >= 0 and not self._held[at][4]:
            self._let_go(at)
        elif at >= 0 or not self.lanes[token[0]].drop(token):
            return False
        self.lose(token[1], token[2], token[2], 1, why)
        return True

    def _find_held(self, token):
        for at, record in enumerate(self._held):
            if record[0] == token:
                return at
        return -1

    def _let_go(self, at):
        token = self._held.pop(at)[0]
        self.lanes[token[0]].held -= 1

    def rewind(self):
        for lane in self.lanes:
            lane.rewind()
        for record in self._held:
            record[4] = False

    def waiting(self):
        return sum([lane.waiting for lane in self.lanes])

    # --- what is gone, and how far we are ------------------------------------------------------
    def tidy(self):
        return store_room.tidy(self)

    def lose(self, boot, first, last, count, why):
        """These will never be sent: to be declared with the next settle()."""
        for loss in self._lost:
            if loss[:2] == [boot, why] and (loss[3] + 1 == first or len(self._lost) >= _LOSSES):
                loss[2], loss[3] = min(loss[2], first), max(loss[3], last)
                loss[4] += count
                return
        self._lost.append([boot, why, first, last, count])

    def settle(self):
        """Write what is in RAM, then the gaps, and only then the heads that have left them."""
        while self._lost:
            boot, why, first, last, count = self._lost.pop(0)
            self._hold(1, *self._declare(boot, first, last, count, why))
        if not self.commit():
            return False
        if self._finished:
            self._save_heads()
        return not self.fault

    def _load_heads(self):
        with open(self.folder + "/heads", "rb") as f:
            data = f.read()
        if len(data) != 28 or struct.pack("<I", crc32(data[:24])) != data[24:]:
            return ((), (), ())  # not LittleFS, and torn: everything is offered again
        n = struct.unpack(_HEADS, data[:24])
        return (n[0:2], n[2:4], n[4:6])

    def _save_heads(self):
        """Small enough for LittleFS to keep it in its log: no erase, and replaced in one step."""
        heads = [n for lane in self.lanes for n in lane.head]
        data = struct.pack(_HEADS, *heads)
        try:
            with open(self.folder + "/heads", "wb") as f:
                f.write(data + struct.pack("<I", crc32(data)))
        except OSError as e:
            self.fault = e.args[0]
            return
        self._finished = 0
