"""A toy county: signs commands with the contract's arithmetic, on CPython and on MicroPython.

Its key is no secret and protects nothing: N is a product of primes p whose p - 1 all divide one
44-bit number, which makes the private exponent small enough for MicroPython to sign in a
millisecond. That real keys and this contract agree is tests/firmware/patrol_contract's matter.
"""

import binascii
import hashlib

from patrol_contract import messages, signing

KID = "toy"
D = 7402536575873
N = int(
    "fe2c723357caa5bcc1251ac2eb66122b183e206e259b8f2290e7fa5dbfc66e80096b59da344e7e48a2d187ad"
    "0ecf31de837301d8ce7030f659f13f1a9f6f58cb197033dbd05a98ce763bea363e8dae1a98bfe6eb0375fe14"
    "108361dbc5bbe9c5ac50a9b109b759e5d03dac790480f174ee284cd5dd0b34308810488da0e9c64d048e7f0e"
    "4adeb09fe6c9bedde022bbf489d78d24520ae5ed3e172c84573b4347b164359ec0efe2d809b7c137e2f43b57"
    "af7236d6238f2180a4c1013979ba495b5e3297cedd0e96b06a09ee278e7ef304e0ec6ead565e617432656cb9"
    "08953e94f73c76eb691199b5c9536c82ecc9360a050702afe54fa6dbb3c7b5688f4de2dc6c50ce1b6e506419"
    "2c18f943051676fb935f81d87cebb86574e2308799bfd9a2e2efa3def1ad1e29ba80cc0cd6f4764935cddff9"
    "c725b993ecd74ca2c067ae6268404753aaec8076f0a9285fde0e35a60fae9e5435bfa2cd8b51cc4c0bd9914f"
    "8a1e12f162b42d61a3ed7c979f5684812cebc217e5fdc9a52e7fd648827a365d",
    16,
)
MODULUS = N.to_bytes(signing.KEY_BYTES, "big")
BOOT = "00000000c0de0001"


class County:
    def __init__(self):
        self.seq = 0

    def sign(self, name, fields, seq=None):
        """Payload of command `fields` (without envelope and signature)."""
        if seq is None:
            self.seq += 1
            seq = self.seq
        whole = {"v": 1, "boot": BOOT, "seq": seq, "alg": signing.ALG, "kid": KID, "sig": "-"}
        whole["id"] = "%016x" % (0xC0FFEE000000 + seq)
        whole.update(fields)
        message = signing.canonical(messages.to_wire(name, whole))
        whole["sig"] = binascii.b2a_base64(_signature(message)).decode().strip()
        return messages.encode(name, whole)

    def command(self, to, cmd, now_s, valid_s=300, seq=None, **own):
        """(message name, payload)"""
        fields = {"cmd": cmd, "to": to, "iat": now_s, "exp": now_s + valid_s}
        fields.update(own)
        name = "group_cmd" if to.startswith("g/") else "unit_cmd"
        return name, self.sign(name, fields, seq)

    def duty(self, group, level, since, **own):
        fields = {"level": level, "since": since, "iat": since, "to": "g/" + group}
        fields.update(own)
        return "group_duty", self.sign("group_duty", fields)


def _signature(message):
    digest = hashlib.sha256(message).digest()
    info = binascii.unhexlify("3031300d060960864801650304020105000420")
    padding = b"\xff" * (signing.KEY_BYTES - 3 - len(info) - len(digest))
    padded = b"\x00\x01" + padding + b"\x00" + info + digest
    return pow(int.from_bytes(padded, "big"), D, N).to_bytes(signing.KEY_BYTES, "big")
