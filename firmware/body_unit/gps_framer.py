"""NMEA 0183 sentences out of a byte stream that may hold anything else besides.

Receivers mix binary frames in, wake up in the middle of a line, and lose bytes when a UART buffer
overflows. So nothing is believed but `$`, printable ASCII, `*`, two hex digits and the right
checksum (XOR of everything between `$` and `*`). Each byte is looked at once and alone: how the
bytes were split on arrival cannot matter.
"""

LONGEST = 120  # characters from `$` to the checksum; the standard's 82 is not kept by GSV and PUBX


class Framer:
    """Holds one unfinished sentence and nothing else. `rejected` counts those that failed."""

    def __init__(self):
        self.rejected = 0
        self._line = bytearray(LONGEST)
        self._view = memoryview(self._line)
        self._length = -1  # -1: waiting for `$`
        self._star = -1  # where the `*` is
        self._sum = 0

    def feed(self, data, take):
        """Call take(text) for each whole sentence, without its `$`, `*` and checksum."""
        line = self._line
        for c in data:
            if c == 0x24:  # `$` never occurs inside: whatever came before it was cut short
                if self._length >= 0:
                    self.rejected += 1
                self._length = 0
                self._star = -1
                self._sum = 0
                continue
            length = self._length
            if length < 0:
                continue
            if not 0x20 <= c <= 0x7E or length == LONGEST:
                self._reject()
                continue
            line[length] = c
            self._length = length + 1
            star = self._star
            if star < 0:
                if c == 0x2A:
                    self._star = length
                else:
                    self._sum ^= c
            elif length == star + 2:
                high, low = _hex(line[star + 1]), _hex(c)
                if high < 0 or low < 0 or high << 4 | low != self._sum:
                    self._reject()
                    continue
                self._length = -1
                take(str(self._view[:star], "ascii"))

    def _reject(self):
        self.rejected += 1
        self._length = -1


def _hex(c):
    if 0x30 <= c <= 0x39:
        return c - 0x30
    c |= 0x20  # to lower case
    return c - 0x57 if 0x61 <= c <= 0x66 else -1
