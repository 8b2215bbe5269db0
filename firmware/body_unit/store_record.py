"""Records of one segment file: how they lie on flash, and how they are found again.

    segment  level u8 | record | record | …          level: how often it was thinned (store.py)
    record   size u16 | kind u8 | seq u32 | body | crc32 u32    size and crc cover the whole record
    PLAIN    body = boot (8 bytes) | topic \\n payload
    PACKED   body = offset u16 of a PLAIN record in this segment | digits, two to a byte

Two tracks of one boot differ in their digits only, so PACKED keeps nothing else: a track of 190
bytes takes some 45, which is what puts a day of them into a 4 MB board. All numbers little-endian.

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
_CHUNK = 512  # bytes fetched at a time: some ten tracks
_TEMPLATES = 4  # a segment's texts with different skeletons; more are simply written plain
_END = 0xF  # nibble behind each run of digits


def pack(text):
    """Bytes -> (skeleton, digits): the text with every run of digits as one "0", and the runs."""
    skeleton = bytearray()
    digits = bytearray()
    high = -1  # the first nibble of a pair, while it waits for the second
    run = False
    for c in text:
        if 0x30 <= c <= 0x39:
            nibble = c - 0x30
            if not run:
                skeleton.append(0x30)
            run = True
        else:
            skeleton.append(c)
            if not run:
                continue
            nibble = _END
            run = False
        if high < 0:
            high = nibble << 4
        else:
            digits.append(high | nibble)
            high = -1
    if high >= 0:
        digits.append(high | _END)
    return bytes(skeleton), digits


def unpack(template, digits):
    """The text that pack() took apart, from any text with the same skeleton."""
    out = bytearray()
    at = 0  # counts nibbles
    end = 2 * len(digits)
    run = False
    for c in template:
        if not 0x30 <= c <= 0x39:
            out.append(c)
            run = False
        elif not run:
            run = True
            while at < end:
                nibble = digits[at >> 1] >> 4 if at & 1 == 0 else digits[at >> 1] & 0xF
                at += 1
                if nibble == _END:
                    break
                out.append(0x30 + nibble)
    return bytes(out)


def _record(kind, seq, body):
    head = struct.pack(_HEAD, _FRAME_BYTES + len(body), kind, seq)
    return head + body + struct.pack("<I", crc32(body, crc32(head)))


class Writer:
    """Makes the records of one segment, in order. `size` is where the next one will lie."""

    def __init__(self, size, packs):
        self.size = size
        self.packs = packs
        self._templates = {}  # (boot, skeleton) -> offset
        # A boot begins with fresh templates, so a packed record has the boot of its template.

    def record(self, boot, seq, text):
        """The bytes to append for one record; boot is 8 bytes."""
        out = None
        if self.packs:
            skeleton, digits = pack(text)
            at = self._templates.get((boot, skeleton))
            if at is not None:
                out = _record(PACKED, seq, struct.pack("<H", at) + digits)
            elif len(self._templates) < _TEMPLATES:
                self._templates[(boot, skeleton)] = self.size
        if out is None:
            out = _record(PLAIN, seq, boot + text)
        self.size += len(out)
        return out


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
        self._template = None

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
        return boot, seq, unpack(self._template[_BOOT_BYTES:], body[2:])

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
