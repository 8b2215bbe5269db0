"""The open SOS in 38 bytes: what survives a reboot, a watchdog bite, a dead battery.

Little endian: format, state, kind, flags (1 = discreet), revision ceiling u32, position
lat7 i32, lon7 i32, acc_m u16 (0 = no position), its Unix time u32 (0 = unknown), Unix time of the
raise u32 (0 = no clock then), id 8 bytes and a CRC-32 over all before it: a brown-out
may tear the write.

The revision in the latch is a ceiling, written ahead by CEILING, so that the flash is written once
in CEILING revisions and a revision is still never used twice.
"""

import struct
from binascii import crc32, hexlify, unhexlify
from collections import namedtuple

KINDS = ("button", "silent", "fall", "checkin")
CEILING = 64  # revisions; at one per 5 s a write in 5 minutes

# state: as in sos.py; kind: of KINDS; place: (lat7, lon7, acc_m, unix_s or 0) or None;
# raised_s: Unix s or 0; id: 16 hex characters
Latch = namedtuple("Latch", "state kind discreet ceiling place raised_s id")

_FORM = "<BBBBIiiHII8s"
_FORMAT = 1
_LENGTH = struct.calcsize(_FORM)


def pack(latch):
    lat7, lon7, acc_m, unix_s = latch.place or (0, 0, 0, 0)
    body = struct.pack(
        _FORM,
        _FORMAT,
        latch.state,
        KINDS.index(latch.kind),
        1 if latch.discreet else 0,
        latch.ceiling,
        lat7,
        lon7,
        min(acc_m, 0xFFFF),
        unix_s,
        latch.raised_s,
        unhexlify(latch.id),
    )
    return body + struct.pack("<I", crc32(body))


def unpack(value):
    """The Latch, or None when `value` is torn or not ours."""
    if len(value) != _LENGTH + 4:
        return None
    body = value[:_LENGTH]
    if struct.unpack("<I", value[_LENGTH:])[0] != crc32(body):
        return None
    form, state, kind, flags, ceiling, lat7, lon7, acc_m, unix_s, raised_s, sos_id = struct.unpack(
        _FORM, body
    )
    if form != _FORMAT or kind >= len(KINDS):
        return None
    place = (lat7, lon7, acc_m, unix_s) if acc_m else None
    return Latch(
        state, KINDS[kind], bool(flags & 1), ceiling, place, raised_s, hexlify(sos_id).decode()
    )
