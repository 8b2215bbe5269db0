"""One class of the queue: its segment files, what of them is done, and where reading stands.

    done      | in flight (taken)    | not taken           |
    ----------+----------------------+---------------------+----  appended here
              head (kept on flash)   reader                tail

Segments are numbered without a hole, from the oldest. Only the oldest is ever removed, when the
head has left it or there is no more room; never the one that is appended to, so that a number is
not used twice. `head` is a (segment, offset): everything before it is done.
"""

import os
from binascii import hexlify

from body_unit.store_record import FIRST, Reader, Writer

NEW, TAKEN, DONE = 0, 1, 2  # a record in RAM
SEGMENT_BYTES = 16 * 1024  # four flash blocks
# Where the blocks of a LittleFS file end: block n > 0 begins with ctz(n) + 1 pointers of 4 bytes.
_BLOCK_ENDS = (4096, 8188, 12276, 16368, 20452, 24540)
SKIPS = 32  # tokens remembered as dropped
_TYPICAL_BYTES = (240, 240, 48)  # of a record of each class, to guess how many an old segment has


class Lane:
    """`names` are the folder's files; `head` is what the store kept, or ()."""

    def __init__(self, folder, klass, names, head):
        self.folder = folder
        self.klass = klass
        mine = [int(n[2:], 16) for n in names if n.startswith("%d-" % klass) and len(n) == 10]
        self.first = min(mine) if mine else 0
        self.last = max(mine) if mine else -1
        self.bytes = sum(map(self.size, mine))
        self.head = (self.first, FIRST)
        if head and self.first <= head[0] <= self.last and head[1] <= self.size(head[0]):
            self.head = head
        self.damage = []  # (boot, first seq, last seq) around what could not be read
        self._skip = set()  # tokens not to offer again
        self._flight = []  # [token, segment, end offset, done], in the order taken
        self._writer = None
        self._before = ("", 0)  # boot and seq of the last record read
        while self.first < self.head[0]:
            self.remove_first()
        self.pinned = None  # a segment that is about to be replaced: not to be read meanwhile
        self._caught_up = False  # all that is on flash was taken
        self._segment, self._reader = self.head[0], Reader(self.path(self.head[0]), self.head[1])
        self.held = 0  # records of this class that are in RAM only
        self._count = self._open_tail() if mine else 0  # on flash and not done

    def waiting(self):
        """How many records are not done yet; of earlier boots only about."""
        return self._count + self.held

    def path(self, segment):
        return "%s/%d-%08x" % (self.folder, self.klass, segment)

    def size(self, segment):
        return os.stat(self.path(segment))[6]

    # --- append ------------------------------------------------------------------------------
    def write(self, batch):
        """Append [[token, boot, seq, text, state, …], …] to one segment: a generator, which stops
        wherever a block may have been erased. They are on flash when it ends; OSError: none is."""
        writer, self._writer = self._writer, None  # a failed write leaves a tail nobody vouches for
        segment, mode, data = self.last, "ab", b""
        if writer is None or writer.size >= SEGMENT_BYTES:
            writer = Writer(FIRST, self.klass == 2)
            segment, mode, data = self.last + 1, "wb", b"\x00"
        began = at = 0 if data else writer.size
        ends = []
        with open(self.path(segment), mode) as f:
            yield
            for record in batch:  # one at a time: all of them together are kilobytes
                data += writer.record(record[1], record[2], record[3])
                ends.append(writer.size)
                for end in _BLOCK_ENDS:
                    if at < end and data:
                        part = data[: end - at]
                        f.write(part)
                        at += len(part)
                        data = data[len(part) :]
                        if at == end:
                            yield
            yield
        self.last = segment
        self._writer = writer
        self.bytes += at - began
        self._written(batch, segment, ends)

    def _written(self, batch, segment, ends):
        """Each record's state in RAM becomes its state here."""
        for record, end in zip(batch, ends):
            if record[4] != DONE:
                self.held -= 1
                self._count += 1
            if record[4] == NEW:
                self._caught_up = False
            elif self._caught_up:
                self._flight.append([record[0], segment, end, record[4] == DONE])
                self._seek((segment, end))
            else:
                self._skip.add(record[0])  # done, and offered again by a rewind what was before it
        self._advance()

    def _open_tail(self):
        """Go on with the last segment if it is whole. Returns about how many records wait."""
        last = self.head[1] if self.head[0] == self.last else FIRST
        reader = Reader(self.path(self.last))
        count = 0
        while reader.step():
            count += reader.at > last
        if not reader.skipped and reader.at == self.size(self.last):
            self._writer = Writer(reader.at, self.klass == 2)
        if self.head[0] < self.last:
            older = self.bytes - self.size(self.last) - self.head[1]
            count += max(0, older) // _TYPICAL_BYTES[self.klass]
        return count

    # --- send --------------------------------------------------------------------------------
    def take(self):
        """-> (token, text) of the next record on flash that nobody took, or None."""
        while self.first <= self.last:
            found = self._reader.next()
            if found is None:
                if self._segment >= self.last:
                    if not self._flight:
                        self._count = 0  # ends what was only guessed of earlier boots
                    self._caught_up = True
                    return None
                if self._segment + 1 == self.pinned:
                    return None
                self._seek((self._segment + 1, FIRST))
                self._advance()
                continue
            boot, seq, text = found
            boot = hexlify(boot).decode()
            if boot == self._before[0]:
                boot = self._before[0]  # one object for all of its records
            self._note_damage(boot, seq)
            token = (self.klass, boot, seq)
            skipped = token in self._skip
            self._flight.append([token, self._segment, self._reader.at, skipped])
            if not skipped:
                return token, text
            self._skip.remove(token)
            self._advance()
        self._caught_up = True
        return None

    def done(self, token):
        """True when the token was in flight."""
        for entry in self._flight:
            if entry[0] == token and not entry[3]:
                entry[3] = True
                self.forget(1)
                self._advance()
                return True
        return False

    def drop(self, token):
        """Do not offer this record; False when it is in flight, or too many are dropped already."""
        if len(self._skip) >= SKIPS or token in self._skip:
            return False
        for entry in self._flight:
            if entry[0] == token:
                return False
        self._skip.add(token)
        self.forget(1)
        return True

    def forget(self, count):
        """So many records on flash wait no longer."""
        self._count = max(0, self._count - count)

    def rewind(self):
        """Offer again what was taken and is not done."""
        for token, _, _, done in self._flight:
            if done:  # out of order: those before it are not
                self._skip.add(token)
                self._skip.add(token)
        self._flight = []
        self._caught_up = False
        self._seek(self.head)

    # --- inside ------------------------------------------------------------------------------
    def _seek(self, place):
        """Read on from (segment, offset); keeps the chunk it has when that is nearby."""
        if place[0] != self._segment:
            self._segment = place[0]
            self._reader = Reader(self.path(place[0]))
        self._reader.at = place[1]

    def _advance(self):
        while self._flight and self._flight[0][3]:
            self.head = tuple(self._flight.pop(0)[1:3])
        if not self._flight:
            self.head = (self._segment, self._reader.at)

    def stale(self):
        """Whether the head has left the oldest segment."""
        return self.first < self.head[0]

    def remove_first(self):
        """Take the oldest segment's file away."""
        self.bytes -= self.size(self.first)
        os.remove(self.path(self.first))
        self.first += 1

    def _note_damage(self, boot, seq):
        before, self._before = self._before, (boot, seq)
        if self._reader.skipped:
            self._reader.skipped = 0
            if before[0] == boot and before[1] + 1 < seq:
                self.damage.append((boot, before[1] + 1, seq - 1))

    # --- room --------------------------------------------------------------------------------
    def may_replace(self, segment):
        """Whether a segment may be rewritten: neither being read nor being appended to."""
        return self._segment < segment < self.last

    def replace(self, segment, path):
        """Put the file at `path` in the place of a segment, in one step."""
        self.bytes -= self.size(segment)
        os.rename(path, self.path(segment))
        self.bytes += self.size(segment)

    def drop_first(self):
        """Give up what the oldest segment still holds. Its file is removed by a later step."""
        if self._segment == self.first:
            self._seek((self.first + 1, FIRST))
        while self._flight and self._flight[0][1] == self.first:  # in the order of the segments
            self._flight.pop(0)
        self.head = max(self.head, (self.first + 1, FIRST))
        self._advance()
