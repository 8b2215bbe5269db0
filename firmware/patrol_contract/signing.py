"""What the county signed, and why a command is refused.

Signed are the canonical bytes of all fields but `sig` (exact_json.dumps of the wire form, unknown
keys included, so that a later county's additions stay covered). RSA-3072, PKCS#1 v1.5, SHA-256
(RFC 8017, 8.2.2): verifying needs one `pow` with e = 65537, which MicroPython has. `alg` is in the
signed part, so that SM2/SM3 can follow without a downgrade.

The cheap checks come first: a flood of forgeries costs string comparisons. Callers still allow
two verifications a second at most.
"""

import binascii
import hashlib

from patrol_contract import ContractError, canonical_form, exact_json

ALG = "rsa3072-sha256"
KEY_BYTES = 384
WIDTH = 64
SKEW_S = 300  # a county clock may run this far ahead of a unit's
NO_CLOCK = ("sos_ack", "help", "sos_close")  # for an open SOS these need no clock

# DigestInfo of SHA-256 (RFC 8017, 9.2, note 1)
_SHA256 = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"

REFUSALS = {
    "key": "signed by a key this device does not know",
    "target": "addressed to someone else",
    "clock": "this device has no clock yet and the command is not about its open SOS",
    "expired": "its time is over",
    "early": "issued in the future: one of the two clocks is wrong",
    "replay": "seen before, or too old to tell",
    "signature": "not what the county signed",
}


def signed_bytes(payload):
    """The bytes under the signature of a payload as received, and its `sig` ("" if none)."""
    parts, sig = _signed(payload)
    return b"".join([bytes(part) for part in parts]), sig


def canonical(wire):
    """Bytes to sign: `wire` is the wire form (messages.to_wire) without its `sig`."""
    return exact_json.dumps({k: v for k, v in wire.items() if k != "sig"})


def _signed(payload):
    """signed_bytes() in parts: mostly of the payload itself, which saves parsing it once more."""
    found = canonical_form.member(payload, b"sig")
    if found is not None:
        start, end, sig = found
        whole = memoryview(payload)
        return (whole[:start], whole[end:]), sig
    wire = exact_json.loads(payload)
    if not isinstance(wire, dict):
        raise ContractError("a command is an object")
    sig = wire.pop("sig", "")
    return (exact_json.dumps(wire),), sig


def verify(modulus, payload):
    """True when the `sig` in a payload is `modulus`'s (384 bytes, big endian) over all else of it.

    pow wants some 4 KB, up to 770 bytes at a time: what is not needed any more is let go before.
    """
    parts, sig = _signed(payload)
    sha256 = hashlib.sha256()
    for part in parts:
        sha256.update(part)
    end = b"\x00" + _SHA256 + sha256.digest()
    sha256 = parts = part = None
    try:
        sig = binascii.a2b_base64(sig)
    except (ValueError, TypeError):
        return False
    if len(sig) != KEY_BYTES or len(modulus) != KEY_BYTES:
        return False
    s = int.from_bytes(sig, "big")
    sig = None
    n = int.from_bytes(modulus, "big")
    if s >= n:
        return False
    block = pow(s, 65537, n).to_bytes(KEY_BYTES, "big")
    padded = b"\x00\x01" + b"\xff" * (KEY_BYTES - 2 - len(end))
    return block[: len(padded)] == padded and block[len(padded) :] == end


class ReplayWindow:
    """Sliding window (RFC 4303, 3.4.3): numbers seen among the WIDTH below the highest.

    A command overtaken on the other route still counts, a replayed one never does. `state()` is
    two ints to keep over a reboot; ReplayWindow(*state) takes them back.
    """

    def __init__(self, top=0, bits=0):
        self.top, self.bits = top, bits

    def check(self, seq):
        """Whether `seq` is new."""
        if seq > self.top:
            return True
        back = self.top - seq
        return back < WIDTH and not (self.bits >> back) & 1

    def accept(self, seq):
        """Remember `seq`. Only after its signature held, else a forger moves the window."""
        if seq > self.top:
            self.bits = ((self.bits << (seq - self.top)) | 1) & ((1 << WIDTH) - 1)
            self.top = seq
        else:
            self.bits |= 1 << (self.top - seq)

    def state(self):
        return self.top, self.bits


def refusal(payload, fields, keys, targets, windows, now, open_sos=()):
    """Why this command must not be obeyed: a key of REFUSALS, or None.

    payload   bytes as received: what is verified
    fields    of messages.decode() of it: kid, to, seq, iat, exp, cmd, sos, as far as it has them
    keys      {kid: modulus bytes}
    targets   who this device answers for: {"u-0123", "g/z-03", "g/all"}
    windows   {target: ReplayWindow}; one is made for a new target
    now       Unix seconds, None without a clock
    open_sos  ids of SOSs open here
    On None the number is used up: the caller keeps the windows on disk before it obeys.
    """
    modulus = keys.get(fields["kid"])
    if modulus is None:
        return "key"
    if fields["to"] not in targets:
        return "target"
    timed = "exp" in fields
    about_open = fields.get("cmd") in NO_CLOCK and fields.get("sos") in open_sos
    if now is None:
        if timed and not about_open:
            return "clock"
    elif timed and now > fields["exp"]:
        return "expired"
    elif fields["iat"] > now + SKEW_S:
        return "early"
    window = windows.setdefault(fields["to"], ReplayWindow())
    if timed and not window.check(fields["seq"]):
        return "replay"
    if not verify(modulus, payload):
        return "signature"
    if timed:  # duty has no exp: it is ordered by `since`, and retained copies come again
        window.accept(fields["seq"])
    return None
