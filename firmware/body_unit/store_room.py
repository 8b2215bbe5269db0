"""Room on the flash: tracks are thinned before they are dropped, and every loss is declared first.

A segment is thinned by writing every second record to a new file and renaming it over the old one:
after a power cut it is either whole or thinned, and the gap for what left it is on flash already.
Evenly over the whole outage, oldest first: a coarse track of the night beats a fine one of its end.
Each `yield` ends a step; between two of them at most one flash block (45 ms) is erased.
"""

from binascii import hexlify

from body_unit.store_record import FIRST, Reader, Writer

LEVELS = 2  # thinned twice: a track every 5 s is one every 20 s then
_ENOSPC = 28
_STEP = 16  # records read or written between two yields: under 1 KB of tracks


def tidy(store):
    """A generator: see store.py."""
    yield from _flush(store)
    lane = store.lanes[2]
    for level in range(LEVELS):
        segment = lane.first
        while segment < lane.last and lane.bytes > store.budget * 3 // 4 and not store.fault:
            if lane.may_replace(segment) and _level(lane, segment) == level:
                yield from _thin(store, lane, segment)
            yield
            segment = max(segment + 1, lane.first)
    while lane.first < lane.last and (lane.bytes > store.budget * 7 // 8 or store.fault == _ENOSPC):
        yield from _drop_first(store, lane)


def _flush(store):
    while store.step():
        yield


def _level(lane, segment):
    with open(lane.path(segment), "rb") as f:
        level = f.read(1)
    return level[0] if level else LEVELS


class _Spans:
    """What leaves the store: per boot the lowest and highest seq, and how many."""

    def __init__(self):
        self.of = {}

    def add(self, boot, seq):
        span = self.of.get(boot)
        if span is None:
            self.of[boot] = [seq, seq, 1]
        else:
            span[1] = seq
            span[2] += 1

    def declare(self, store, lane, why):
        for boot, (first, last, count) in self.of.items():
            store.lose(hexlify(boot).decode(), first, last, count, why)
            lane.forget(count)
        store.declare_lost()


def _thin(store, lane, segment):
    level = _level(lane, segment) + 1
    reader = Reader(lane.path(segment))
    writer = Writer(FIRST, True)
    gone = _Spans()
    new = store.folder + "/thin"
    seen = 0
    try:
        with open(new, "wb") as f:
            yield
            f.write(bytes((level,)))
            while lane.may_replace(segment):  # sending may have come so far meanwhile
                record = reader.next()
                if record is None:
                    break
                if seen % 2 == 0:
                    f.write(writer.record(*record))
                else:
                    gone.add(record[0], record[1])
                seen += 1
                if seen % _STEP == 0:
                    yield
            yield
        yield
        if lane.may_replace(segment):
            lane.pinned = segment
            gone.declare(store, lane, "thinned")
            yield from _flush(store)
            if not store.fault:
                lane.replace(segment, new)
                yield
    except OSError as e:
        store.fault = e.args[0]
    lane.pinned = None


def _drop_first(store, lane):
    """Give up the oldest segment: its loss and the new head are written together, then it goes.

    On a full flash the gap itself can only be written behind it.
    """
    segment = lane.first
    reader = Reader(lane.path(segment), lane.head[1] if lane.head[0] == segment else FIRST)
    gone = _Spans()
    seen = 0
    while lane.head[0] <= segment:
        record = reader.next()
        if record is None:
            break
        gone.add(record[0], record[1])
        seen += 1
        if seen % _STEP == 0:
            yield
    if lane.head[0] <= segment:
        gone.declare(store, lane, "full")
        lane.drop_first()
    yield from _flush(store)
    yield
