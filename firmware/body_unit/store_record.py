"""Records of one segment file: how they lie on flash, and how they are found again.

    segment  level u8 | record | record | …          level: how often it was thinned (store.py)
    record   size u16 | kind u8 | seq u32 | body | crc32 u32    size and crc cover the whole record
    PLAIN    body = boot (8 bytes) | topic \\n payload
    PACKED   body = offset u16 of a PLAIN record of the same boot in this segment (its template)
                  | the digits that differ, two to a byte
All numbers little-endian.

Two tracks of one boot differ only in some of their digits, so PACKED keeps nothing else: a track of
200 bytes takes some 40, and a day of them fits into a 4 MB board.

LittleFS shows a file as it was when it was last closed, never half a write. The CRC is for what
LittleFS does not promise: a bit that fell over in a data block, or another file system.
"""

import struct
from binascii import crc32

FIRST = 1  # offset of the first record, behind the level
PLAIN, PACKED = 0, 1
_HEAD = "<HBI"
_HEAD_BYTES = 7
_FRAME_BYTES = _HEAD_BYTES + 4
_BOOT_BYTES = 8
_CHUNK = 256  # bytes fetched at a time: some five tracks
_TEMPLATES = 3  # tracks with and without course, health; what fits none is written plain
_AS_BEFORE, _END = b"\x0e", b"\x0f"  # nibbles: these digits as in the template; end of digits


def pack(text, template):
    """The digits in which `text` differs from `template`, or None where more than digits differ."""
    digits = bytearray()
    half = False  # a byte of `digits` has its low nibble free
    i = j = 0
    while i < len(text):
        end = _run(text, i)
        if end == i:
            if j >= len(template) or text[i] != template[j]:
                return None
            i += 1
            j += 1
            continue
        other = _run(template, j)
        if other == j:
            return None
        run = text[i:end]
        if run == template[j:other]:
            run = _AS_BEFORE
        else:
            run += _END
        for c in run:
            if half:
                digits[-1] |= c & 0xF
            else:
                digits.append((c & 0xF) << 4)
            half = not half
        i, j = end, other
    return digits if j == len(template) else None


def unpack(digits, template):
    """The text that pack() was given."""
    text = bytearray()
    at = 0  # counts nibbles
    j = 0
    while j < len(template):
        end = _run(template, j)
        if end == j:
            text.append(template[j])
            j += 1
            continue
        while True:
            nibble = digits[at >> 1] & 0xF if at & 1 else digits[at >> 1] >> 4
            at += 1
            if nibble > 9:
                break
            text.append(0x30 + nibble)
        if nibble == _AS_BEFORE[0]:
            text += template[j:end]
        j = end
    return bytes(text)


def _run(text, at):
    """Where the digits end that begin at `at`; `at` itself if there are none."""
    while at < len(text) and 0x30 <= text[at] <= 0x39:
        at += 1
    return at


def _record(kind, seq, body):
    head = struct.pack(_HEAD, _FRAME_BYTES + len(body), kind, seq)
    return head + body + struct.pack("<I", crc32(body, crc32(head)))


class Writer:
    """Makes the records of one segment, in order. `size` is where the next one will lie."""

    def __init__(self, size, packs):
        self.size = size
        self.packs = packs
        self._templates = []  # (boot, text, offset); a boot begins with none

    def record(self, boot, seq, text):
        """The bytes to append for one record; boot is 8 bytes."""
        out = self._packed(boot, seq, text) if self.packs else None
        if out is None:
            out = _record(PLAIN, seq, boot + text)
        self.size += len(out)
        return out

    def _packed(self, boot, seq, text):
        for its_boot, template, at in self._templates:
            if its_boot == boot:
                digits = pack(text, template)
                if digits is not None:
                    return _record(PACKED, seq, struct.pack("<H", at) + digits)
        self._templates.append((boot, text, self.size))
        if len(self._templates) > _TEMPLATES:
            self._templates.pop(0)
        return None


class Reader:
    """The records of the segment at `path` from offset `at` on.

    The file is open only while a chunk is fetched, so it may grow or be replaced in between.
    """

    def __init__(self, path, at=FIRST):
        self.path = path
        self.at = at
        self.skipped = 0  # bytes that were no record: damage
        self._chunk = b""
        self._chunk_at = 0
        self._template_at = -1
        self._template = b""

    def next(self):
        """-> (boot, seq, text) with `at` behind it, or None at the end."""
        while True:
            found = self.step()
            if found is None:
                return None
            record = self._open(*found)
            if record is not None:
                return record
            self.skipped += 1  # its template is damaged, and with it this record

    def step(self):
        """-> (kind, seq, body) as it lies there, with `at` behind it, or None at the end."""
        while True:
            found = self._at(self.at)
            if found is None:
                return None
            if found[0]:
                self.at += found[0]
                return found[1:]
            self.at += 1  # damaged: the next record begins wherever a CRC says so
            self.skipped += 1

    def _at(self, at):
        """(size, kind, seq, body) at an offset; size 0 if no record is there; None at the end."""
        head = self._bytes(at, _FRAME_BYTES)
        if head is None:
            return None
        size, kind, seq = struct.unpack(_HEAD, head[:_HEAD_BYTES])
        data = self._bytes(at, size) if size >= _FRAME_BYTES and kind <= PACKED else None
        if data is None or crc32(data[:-4]) != struct.unpack("<I", data[-4:])[0]:
            return 0, 0, 0, b""
        return size, kind, seq, data[_HEAD_BYTES:-4]

    def _open(self, kind, seq, body):
        if kind == PLAIN:
            return body[:_BOOT_BYTES], seq, body[_BOOT_BYTES:]
        at = struct.unpack("<H", body[:2])[0]
        if at != self._template_at:
            found = self._at(at)
            if found is None or not found[0] or found[1] != PLAIN:
                return None
            self._template_at = at
            self._template = found[3]
        boot = self._template[:_BOOT_BYTES]
        return boot, seq, unpack(body[2:], self._template[_BOOT_BYTES:])

    def _bytes(self, at, count):
        """`count` bytes at file offset `at`, or None if the file ends before."""
        start = at - self._chunk_at
        if start < 0 or start + count > len(self._chunk):
            with open(self.path, "rb") as f:
                f.seek(at)
                self._chunk = f.read(max(count, _CHUNK))
            self._chunk_at = at
            start = 0
            if len(self._chunk) < count:
                return None
        return self._chunk[start : start + count]
