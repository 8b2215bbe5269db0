"""What happens to an NMEA sentence on its way: on the wire, and in receivers that are out of order.

`wire` leaves the checksum as it was, as lost and flipped bits do. `sick` makes a new, right one
around a field that cannot be: only the parser's own judgement stands between that and the map.
"""

from __future__ import annotations

import random

ODD_FIELDS = (
    "",
    "0",
    "-1",
    "99999.9999",
    "9999.9999",
    "4460.0000",
    "nan",
    "inf",
    "1e9",
    "1_0",
    "0x10",
    "+5",
    " 7",
    "N",
    "E",
    "V",
    "A",
    "235960",
    "246060",
    "310299",
    "220899",
    "00000.00000",
    "0" * 40,
    "9" * 40,
    "*",
    "\x7e",
)


def checked(body: str) -> bytes:
    checksum = 0
    for c in body.encode():
        checksum ^= c
    return f"${body}*{checksum:02X}\r\n".encode()


def wire(sentence: bytes, dice: random.Random) -> bytes:
    """Damage that keeps the old checksum: flips, losses, doubles, noise, a cut, another's half."""
    data = bytearray(sentence)
    at = dice.randrange(len(data))
    match dice.randrange(7):
        case 0:
            for _ in range(dice.randint(1, 4)):
                data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        case 1:
            del data[at : at + dice.randint(1, 20)]
        case 2:
            data[at:at] = data[at : at + dice.randint(1, 20)]
        case 3:
            data[at:at] = dice.randbytes(dice.randint(1, 200))
        case 4:
            del data[at:]
        case 5:
            other = dice.randrange(len(data))
            data[at], data[other] = data[other], data[at]
        case _:
            for _ in range(2):  # two digits change so that the XOR does not
                data[dice.randrange(7, len(data) - 5)] ^= 1
    return bytes(data)


def sick(sentence: bytes, dice: random.Random) -> bytes:
    """A right checksum around a wrong field, fields too many or too few, or in another's place."""
    fields = sentence[1 : sentence.rindex(b"*")].decode().split(",")
    at = dice.randrange(1, len(fields))
    match dice.randrange(5):
        case 0 | 1:
            fields[at] = dice.choice(ODD_FIELDS)
        case 2:
            del fields[at]
        case 3:
            fields.insert(at, dice.choice(ODD_FIELDS))
        case _:
            other = dice.randrange(1, len(fields))
            fields[at], fields[other] = fields[other], fields[at]
    return checked(",".join(fields))


def damage(sentence: bytes, dice: random.Random) -> bytes:
    """One of the two; never the sentence itself."""
    while True:
        out = (wire if dice.random() < 0.7 else sick)(sentence, dice)
        if out != sentence:
            return out
