"""UBX, the binary protocol of u-blox receivers (Interface Description, "UBX frame structure").

frame   B5 62 | class u8 | id u8 | length u16 | payload | two Fletcher-8 sums over class…payload
"""

MON_VER = (0x0A, 0x04)
CFG_MSG = (0x06, 0x01)
CFG_VALSET = (0x06, 0x8A)
LONGEST = 1024  # payload; MON-VER of a receiver with many extensions has 300 bytes


def frame(kind, payload=b""):
    """The bytes of one frame; `kind` is (class, id)."""
    body = bytes(kind) + len(payload).to_bytes(2, "little") + payload
    a = b = 0
    for c in body:
        a = (a + c) & 0xFF
        b = (b + a) & 0xFF
    return b"\xb5\x62" + body + bytes((a, b))


class Frames:
    """Which whole frames are in a byte stream; what they hold is not kept."""

    def __init__(self):
        self._at = 0  # bytes of the frame seen so far
        self._kind = (0, 0)
        self._class = 0
        self._length = 0
        self._a = self._b = 0

    def feed(self, data):
        """-> [(class, id), …] of the frames that ended in `data`."""
        found = []
        for c in data:
            if self._byte(c):
                found.append(self._kind)
        return found

    def _byte(self, c):
        at = self._at
        self._at = at + 1
        if at == 0:
            self._at = 1 if c == 0xB5 else 0
        elif at == 1:
            self._at = 2 if c == 0x62 else 1 if c == 0xB5 else 0
            self._a = self._b = 0
        elif at < self._length + 6 or at < 6:
            self._head(at, c)
            self._a = (self._a + c) & 0xFF
            self._b = (self._b + self._a) & 0xFF
        elif at == self._length + 6:
            if c != self._a:
                self._at = 0
        else:
            self._at = 0
            return c == self._b
        return False

    def _head(self, at, c):
        if at == 2:
            self._class = c
        elif at == 3:
            self._kind = (self._class, c)
        elif at == 4:
            self._length = c
        elif at == 5:
            self._length |= c << 8
            if self._length > LONGEST:
                self._at = 0
                self._length = 0
