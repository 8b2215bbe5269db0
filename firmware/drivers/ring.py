"""The log of the last hour: in RAM while the unit runs, on flash when it stops, for a technician.

A line that comes again within the last few only counts up, so that a broker which is down all
evening takes two lines and not a thousand. It is written to FILE before every reset that the
program makes itself and when a technician interrupts it (Ctrl-C at the REPL, which is what
mpremote does); then:

    mpremote exec "from drivers import ring; ring.show()"

A watchdog's bite or a cut of the power loses it: then `reset` and `error` of health tell.
"""

import struct

FILE = "log.txt"
HOUR_MS = 3_600_000
ROOM = 1024  # bytes, allocated once: the oldest lines make room
LONGEST = 120  # bytes of a line
_ALIKE = 6  # lines looked back
# A line lies in the room as: length of its text, first and last time in 1/10 s, how often; text.
_HEAD = "<BIIH"
_HEAD_BYTES = 11
_MOST = 0xFFFF
_PIECE = 64  # bytes moved at a time


class Ring:
    def __init__(self, room=ROOM):
        self._room = bytearray(room)
        self._used = 0  # oldest line first, without a hole

    def add(self, now_ms: int, text: str) -> None:
        line = _cut(text.encode())
        tenths = now_ms // 100
        at = self._alike(line)
        if at >= 0:
            size, first, _, times = struct.unpack_from(_HEAD, self._room, at)
            struct.pack_into(_HEAD, self._room, at, size, first, tenths, min(_MOST, times + 1))
            return
        room = self._room
        need = _HEAD_BYTES + len(line)
        while self._used and (self._used + need > len(room) or self._is_old(tenths)):
            self._drop_first()
        at = self._used
        struct.pack_into(_HEAD, room, at, len(line), tenths, tenths, 1)
        room[at + _HEAD_BYTES : at + need] = line
        self._used += need

    def lines(self):
        """Text, oldest first: seconds since boot, what, how often and until when."""
        at = 0
        while at < self._used:
            size, first, last, times = struct.unpack_from(_HEAD, self._room, at)
            at += _HEAD_BYTES
            text = bytes(self._room[at : at + size]).decode()
            at += size
            line = "%d.%d %s" % (first // 10, first % 10, text)
            yield line if times == 1 else "%s (x%d, last %d)" % (line, times, last // 10)

    def save(self) -> None:
        """Over the one of before; a full flash is no reason to stop."""
        try:
            with open(FILE, "w") as f:
                for line in self.lines():
                    f.write(line + "\n")
        except OSError as fault:
            print("log not written: %s" % fault)

    def _alike(self, line):
        """Where the same line begins, if it is one of the last few; otherwise -1."""
        found = -1
        after = 0  # lines since then
        at = 0
        while at < self._used:
            size = self._room[at]
            text = at + _HEAD_BYTES
            after += 1
            if size == len(line) and self._room[text : text + size] == line:
                found = at
                after = 0
            at = text + size
        return found if after < _ALIKE else -1

    def _is_old(self, tenths):
        last = struct.unpack_from(_HEAD, self._room)[2]
        return last < tenths - HOUR_MS // 100

    def _drop_first(self):
        room = self._room
        size = _HEAD_BYTES + room[0]
        for at in range(size, self._used, _PIECE):  # at once would take as much room again
            piece = room[at : at + _PIECE]
            room[at - size : at - size + len(piece)] = piece
        self._used -= size


def _cut(line):
    """At most LONGEST bytes of it, no character halved."""
    if len(line) <= LONGEST:
        return line
    end = LONGEST
    while line[end] & 0xC0 == 0x80:  # inside a character of UTF-8
        end -= 1
    return line[:end]


def show() -> None:
    """For the technician."""
    with open(FILE) as f:
        for line in f:
            print(line, end="")
