"""The unit's queue on flash: what was appended is sent once, in order, over any number of reboots.

    store = Store("/flash/queue", boot, declare)
    token = store.append(klass, seq, topic, payload)    # in RAM, offered at once
    while store.step(): ...                             # onto the flash, one short step at a time
    store.take() -> (token, topic, payload) or None     # next: SOS, then events, then tracks
    store.take_text() -> (token, text) or None          # the same; split(text) is both of them
    store.done(token)                                   # PUBACK says success
    store.rewind()                                      # new connection: offer what was not done
    for _ in store.tidy(): ...                          # make room, in short steps too

boot     16 hex characters of this boot. Records of earlier boots keep theirs, and their seq.
klass    0 SOS, 1 events and acks, 2 telemetry. Sent in this order; within a class as appended.
token    (klass, boot, seq): equal for append, take and done, and after a reboot.
declare  declare(of_boot, first, last, count, why) -> (seq, topic, payload) of a `unit_gap`, stamped
         by the shell with this boot's next seq; `why` is one of WHYS. The store appends it as class
         1. What is lost is on flash before it is gone, so a power cut does not hide it.

Only step(), tidy(), commit() and settle() write. An erased block stops the whole unit for 45 ms, so
whoever runs them lets everything else have its turn between two steps.
step() -> True: something was written, and more may be owed. One step is one write, close, rename or
    removal: LittleFS erases one block in it at most, but for the rare step in which it moves a
    worn metadata pair or splits a full one.
append(klass, seq, topic, payload, ram=False) -> token, or None when there was no room: its seq
    then goes into a gap. Class 2 is refused when its budget is used up (tidy() did not keep pace);
    class 1 only with the flash full and HELD records in RAM; class 0 never. Who appends faster
    than step() is called writes LATE of them itself. The flash always holds a prefix of what was
    numbered: no hole that nobody declared.
    ram=True never writes it: for an SOS update, which the next one supersedes and the latch tells
    again after a reboot. It is offered behind what is on flash of its class, and its number is
    declared if the power goes before it is sent.
kept: every number of this boot up to it outlives a power cut, as a record or as a loss.
commit() makes all steps at once, for the end of a boot. True when nothing is left in RAM; False
    when the flash is full (tidy() makes room).
take() gives each record once; the window (how many are taken and not done) is the caller's.
done() of an unknown token is ignored. After a power cut at most `slack` finished records are
    offered again: how far we are is written every `slack` of them.
drop(token, why) -> True: not taken yet, so forget it and declare it. False: too late, it is sent.
    An SOS of a whole day offline drops an update each 5 s: their numbers are kept as one range,
    and the gap is made when the queue has been sent.
tidy() is a generator of steps. Run it from a task every few seconds: it writes what is still in
    RAM, thins tracks when 3/4 of the budget is used (every second record, twice at most), and
    above 7/8 drops the oldest.
waiting() -> how many records are not done yet (of earlier boots only about); lanes[klass].waiting()
    those of one class.

Never dropped: classes 0 and 1. Class 2: thinned, then oldest first, always declared. A power cut at
any block write leaves every record that was `kept`, and nothing torn.
"""

import os
import struct
from binascii import crc32, hexlify, unhexlify

from body_unit import store_room
from body_unit.store_lane import DONE, NEW, TAKEN, Lane

HELD = 32  # records of class 1 kept in RAM while the flash is full
LATE = 8  # records in RAM while it is not: a second of the busiest unit
BUDGET = 1024 * 1024  # bytes of class 2: 24 h at one track in 5 s are 0.8 MB
SLACK = 4
WHYS = ("full", "thinned", "corrupt", "expired", "refused", "superseded")
_LOSSES = 3  # ranges kept apart; more become one wider range, with the true count
# The file `heads`: (segment, offset) of the three heads, what is lost and not declared, a crc32.
_HEADS = "<6I"
_LOSS = "<8sB3I"  # boot, index of why, first, last, count
_LOSS_BYTES = 21  # LittleFS keeps a file of up to 128 bytes in its log: three and one in RAM fit
_HEADS_BYTES = 24
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
        # [token, boot, seq, text, state, ram, loss], not on flash, in the order numbered. `loss` is
        # what must stand in `heads` while the record does not stand in its segment.
        self._held = []
        self._batch = []  # those of them that are being written
        self._work = None  # what step() is in the middle of
        self._last = self.kept = 0
        self._lost = []  # [boot, why, first, last, count], not yet declared
        self._finished = 0  # records done since `heads` was written
        self._saved = b""  # `heads` as it is on flash
        self._there = False  # the folder
        try:
            self._make_folder()
            names = os.listdir(folder)
        except OSError as e:  # so full that there is no room for a folder: all stays in RAM
            self.fault = e.args[0]
            names = []
        heads = self._load() if "heads" in names else ((), (), ())
        self.lanes = []
        for klass in range(3):
            self.lanes.append(Lane(folder, klass, names, heads[klass]))

    def _make_folder(self):
        try:
            os.mkdir(self.folder)
        except OSError as e:
            if e.args[0] != _EEXIST:
                raise
        self._there = True

    # --- append ------------------------------------------------------------------------------
    def append(self, klass, seq, topic, payload, ram=False):
        if klass == 2:
            refused = self.fault or self.lanes[2].bytes >= self.budget
        else:
            refused = klass == 1 and self.fault and len(self._held) >= HELD
        if refused:
            self.lose(self.boot, seq, seq, 1, "full")
            return None
        loss = _loss((self.boot, "superseded", seq, seq, 1)) if ram else b""
        self._hold(klass, seq, topic, payload, ram, loss)
        if klass and len(self._held) >= LATE and not self.fault:
            self.commit()
        return (klass, self.boot, seq)

    def _hold(self, klass, seq, topic, payload, ram, loss):
        text = topic.encode() + b"\n" + payload
        self._held.append([(klass, self.boot, seq), self._boot_bytes, seq, text, NEW, ram, loss])
        self.lanes[klass].held += 1
        self._last = seq

    # --- onto the flash ------------------------------------------------------------------------
    def step(self):
        if self._work is None:
            self._work = self._write()
        try:
            next(self._work)
            return True
        except StopIteration:
            self.fault = 0
            self.kept = self._last
        except OSError as e:
            self.fault = e.args[0]
        self._work = None
        self._batch = []
        return False

    def working(self):
        """Whether the last step was not the last."""
        return self._work is not None

    def commit(self):
        while self.step():
            pass
        return not self.fault

    def _write(self):
        """All that the flash is owed, in the order in which it may become true."""
        if not self._there:
            self._make_folder()
            yield
        while True:
            fault = 0
            if self._finished >= self._slack or self._losses() != self._saved[_HEADS_BYTES:-4]:
                try:
                    self._save()
                except OSError as e:
                    fault = e.args[0]  # a full flash: what was sent may still make room
                yield
            old = self._stale_lane()
            if old is not None:
                old.remove_first()
                yield
                continue
            if fault:
                raise OSError(fault)
            if self._losses() != self._saved[_HEADS_BYTES:-4]:
                continue  # a number was given away meanwhile
            lane = self._next_batch()
            if lane is None:
                return
            yield from lane.write(self._batch)
            self.kept = self._batch[-1][2]
            for record in self._batch:
                self._held.remove(record)
            self._batch = []
            yield

    def _next_batch(self):
        """Chooses the oldest records in RAM that go into one lane; the lane, or None."""
        batch = []
        for record in self._held:
            if not record[5]:
                if batch and record[0][0] != batch[0][0][0]:
                    break
                batch.append(record)
        self._batch = batch
        return self.lanes[batch[0][0][0]] if batch else None

    def _stale_lane(self):
        for lane in self.lanes:
            if lane.stale():
                return lane
        return None

    # --- send --------------------------------------------------------------------------------
    def take(self):
        found = self.take_text()
        return None if found is None else (found[0],) + split(found[1])

    def take_text(self):
        found = self._take()
        if found is None and self._lost:
            self.declare_lost()  # all has been offered: now say what is missing
            found = self._take()
        return found

    def _take(self):
        for lane in self.lanes:
            found = lane.take()
            if found is None and lane.pinned is None:
                found = self._take_held(lane.klass)
            while lane.damage:
                boot, first, last = lane.damage.pop()
                self.lose(boot, first, last, 1, "corrupt")
            if found:
                return found
        return None

    def _take_held(self, klass):
        for record in self._held:
            if record[0][0] == klass and record[4] == NEW:
                record[4] = TAKEN
                return record[0], record[3]
        return None

    def done(self, token):
        at = self._find_held(token)
        if at >= 0 and self._held[at] in self._batch:
            if self._held[at][4] != DONE:
                self._held[at][4] = DONE
                self.lanes[token[0]].held -= 1
                self._finished += 1
        elif at >= 0:
            self._let_go(at)  # never needs to touch the flash
        elif self.lanes[token[0]].done(token):
            self._finished += 1

    def drop(self, token, why):
        at = self._find_held(token)
        if at >= 0 and self._held[at][4] == NEW and self._held[at] not in self._batch:
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
            if record[4] == TAKEN:
                record[4] = NEW

    def waiting(self):
        count = 0
        for lane in self.lanes:
            count += lane.waiting()
        return count

    # --- what is gone, and how far we are ------------------------------------------------------
    def tidy(self):
        return store_room.tidy(self)

    def lose(self, boot, first, last, count, why):
        """These will never be sent: to be declared by the next settle()."""
        same = None
        for loss in self._lost:
            if loss[0] == boot and loss[1] == why:
                same = loss
                if loss[3] + 1 == first:
                    break
        else:
            if same is None or len(self._lost) < _LOSSES:
                self._lost.append([boot, why, first, last, count])
                return
        same[2], same[3] = min(same[2], first), max(same[3], last)
        same[4] += count

    def settle(self):
        """Make gaps of what is lost, write them and the heads. False when the flash is full."""
        self.declare_lost()
        if not self.commit():
            return False
        try:
            self._save()
        except OSError as e:
            self.fault = e.args[0]
        return not self.fault

    def declare_lost(self):
        """Make gaps of what is lost; they are written by the next steps."""
        while self._lost:
            lost = self._lost.pop(0)
            boot, why, first, last, count = lost
            seq, topic, payload = self._declare(boot, first, last, count, why)
            self._hold(1, seq, topic, payload, False, _loss(lost))

    def _losses(self):
        """What is lost, or would be by a power cut now, as `heads` keeps it."""
        losses = b"".join(map(_loss, self._lost))
        for held in self._held:
            losses += held[6]
        return losses

    def _load(self):
        """Read `heads`. () for each head where it is torn: then everything is offered again."""
        with open(self.folder + "/heads", "rb") as f:
            data = f.read()
        end = len(data) - 4
        if end < _HEADS_BYTES or struct.pack("<I", crc32(data[:end])) != data[end:]:
            return ((), (), ())
        for at in range(_HEADS_BYTES, end, _LOSS_BYTES):
            boot, why, first, last, count = struct.unpack(_LOSS, data[at : at + _LOSS_BYTES])
            self.lose(hexlify(boot).decode(), first, last, count, WHYS[why])
        self._saved = data
        n = struct.unpack(_HEADS, data[:_HEADS_BYTES])
        return (n[0:2], n[2:4], n[4:6])

    def _save(self):
        """Write `heads`: small enough for LittleFS's log, so no erase, and replaced in one step.

        OSError when the flash is full.
        """
        first, second, third = self.lanes
        heads = first.head + second.head + third.head
        data = struct.pack(_HEADS, *heads) + self._losses()
        data += struct.pack("<I", crc32(data))
        self._finished = 0
        if data != self._saved:
            with open(self.folder + "/heads", "wb") as f:
                f.write(data)
            self._saved = data


def split(text):
    """(topic, payload) of a record's text."""
    end = text.find(b"\n")
    return text[:end].decode(), text[end + 1 :]


def _loss(lost):
    boot, why, first, last, count = lost
    return struct.pack(_LOSS, unhexlify(boot), WHYS.index(why), first, last, count)
