"""JSON (RFC 8259) whose decimals stay exact, and whose output has one form only.

The ESP32's floats are single precision: `json.loads` there moves a position by metres. So a number
with a point becomes a `Dec`, which keeps its text; nothing here ever makes a float. Both runtimes
use this one parser, so that a payload is accepted by both or by neither.

`dumps` is canonical: keys sorted by code point, no white space, UTF-8, the short escapes. It is
byte for byte what `json.dumps(o, sort_keys=True, separators=(",", ":"), ensure_ascii=False)` of
any stock Python writes, so other people's tools can make and check signatures.
"""

from patrol_contract import ContractError

DEPTH = 6  # deepest nesting accepted: a plan's points are at 3
DIGITS = 18  # longest integer accepted: fits 64 bits

# Behind a backslash, and what it means there. "/" may be escaped by others; we do not.
_SHORT = b'"\\bfnrt/'
_MEANT = b'"\\\b\f\n\r\t/'
_SPACE = b" \t\r\n"


class Dec:
    """A decimal as written: `Dec("31.2480350")`. Compare and convert by text, never by float."""

    def __init__(self, text):
        self.text = text

    def __eq__(self, other):
        return isinstance(other, Dec) and other.text == self.text

    def __repr__(self):
        return "Dec('" + self.text + "')"

    @classmethod
    def of(cls, scaled, places):
        """The decimal `scaled` / 10**`places`, always written with all its places."""
        one = 10**places
        size = abs(scaled)
        sign = "-" if scaled < 0 else ""
        return cls("%s%d.%0*d" % (sign, size // one, places, size % one))

    def scaled(self, places):
        """As an integer of 10**-`places`; more places than that is a ContractError."""
        text = self.text
        more = len(text) - text.find(".") - 1 - places
        if more > 0:
            if text[-more:].strip("0"):
                raise ContractError(text + " has more than " + str(places) + " decimals")
            text = text[:-more]
            more = 0
        return int(text.replace(".", "")) * 10**-more


def loads(data):
    """Parse UTF-8 bytes to dict, list, str, int, bool, None and Dec; else ContractError.

    Refused, because senders that differ on them cannot be trusted to mean the same: duplicate
    keys, exponents, NaN, lone surrogates, trailing text, more than DEPTH levels.
    """
    data = bytes(data).strip(_SPACE)
    try:
        value, at = _value(data, 0, 0)
    except (IndexError, UnicodeError):
        raise ContractError("JSON ends early or is not UTF-8")
    if at != len(data):
        raise ContractError("JSON is followed by something else at byte " + str(at))
    return value


def _fault(at):
    return ContractError("not JSON at byte " + str(at))


def _value(data, at, depth):
    c = data[at]
    if c == 0x22:
        return _string(data, at + 1)
    if c == 0x7B or c == 0x5B:
        if depth == DEPTH:
            raise ContractError("JSON is nested deeper than " + str(DEPTH))
        return _object(data, at + 1, depth + 1) if c == 0x7B else _array(data, at + 1, depth + 1)
    if c == 0x2D or 0x30 <= c <= 0x39:
        return _number(data, at)
    if data.startswith(b"true", at):
        return True, at + 4
    if data.startswith(b"false", at):
        return False, at + 5
    if data.startswith(b"null", at):
        return None, at + 4
    raise _fault(at)


def _object(data, at, depth):
    out = {}
    while True:
        while data[at] in _SPACE:
            at += 1
        if data[at] == 0x7D and not out:
            return out, at + 1
        if data[at] != 0x22:
            raise _fault(at)
        key, at = _string(data, at + 1)
        while data[at] in _SPACE:
            at += 1
        if data[at] != 0x3A or key in out:
            raise _fault(at)
        at += 1
        while data[at] in _SPACE:
            at += 1
        out[key], at = _value(data, at, depth)
        while data[at] in _SPACE:
            at += 1
        if data[at] == 0x7D:
            return out, at + 1
        if data[at] != 0x2C:
            raise _fault(at)
        at += 1


def _array(data, at, depth):
    out = []
    while True:
        while data[at] in _SPACE:
            at += 1
        if data[at] == 0x5D and not out:
            return out, at + 1
        value, at = _value(data, at, depth)
        out.append(value)
        while data[at] in _SPACE:
            at += 1
        if data[at] == 0x5D:
            return out, at + 1
        if data[at] != 0x2C:
            raise _fault(at)
        at += 1


def _number(data, at):
    start = at
    if data[at] == 0x2D:
        at += 1
    first = at
    at = _digits(data, at)
    if at == first or at - first > DIGITS or (data[first] == 0x30 and at - first > 1):
        raise _fault(start)
    if at < len(data) and data[at] == 0x2E:
        point = at
        at = _digits(data, at + 1)
        if at == point + 1 or at - first > DIGITS + 1:
            raise _fault(start)
    if at < len(data) and data[at] | 0x20 == 0x65:  # e, E
        raise ContractError("a number with an exponent at byte " + str(start))
    text = data[start:at]
    return (Dec(text.decode()) if b"." in text else int(text)), at


def _digits(data, at):
    end = len(data)
    while at < end and 0x30 <= data[at] <= 0x39:
        at += 1
    return at


def _string(data, at):
    end = data.find(b'"', at)
    if end < 0:
        raise IndexError
    piece = data[at:end]
    if b"\\" in piece:
        piece, end = _unescaped(data, at)
    elif piece and min(piece) < 0x20:
        raise _fault(at)
    return piece.decode(), end + 1


def _unescaped(data, at):
    """The bytes that are meant, and where the string ends."""
    out = bytearray()
    while data[at] != 0x22:
        c = data[at]
        if c < 0x20:
            raise _fault(at)
        if c != 0x5C:
            out.append(c)
            at += 1
        elif data[at + 1] == 0x75:
            code, at = _code(data, at + 2)
            out.extend(chr(code).encode())
        else:
            short = _SHORT.find(data[at + 1 : at + 2])
            if short < 0:
                raise _fault(at)
            out.append(_MEANT[short])
            at += 2
    return out, at


def _code(data, at):
    """The code point behind `\\u`: four digits, or twice four for a UTF-16 pair."""
    code = _hex4(data, at)
    at += 4
    if 0xD800 <= code < 0xDC00 and data[at] == 0x5C and data[at + 1] == 0x75:
        low = _hex4(data, at + 2)
        if not 0xDC00 <= low < 0xE000:
            raise _fault(at)
        return 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00), at + 6
    if 0xD800 <= code < 0xE000:
        raise _fault(at)
    return code, at


def _hex4(data, at):
    text = data[at : at + 4]
    if len(text) < 4 or text.strip(b"0123456789abcdefABCDEF"):
        raise _fault(at)
    return int(text, 16)


def dumps(value):
    """Canonical bytes of dict, list, tuple, str, int, bool, None, Dec; a float is a TypeError."""
    out = bytearray()
    _write(value, out)
    return bytes(out)


def _write(value, out):
    if value is None:
        out.extend(b"null")
    elif value is True:
        out.extend(b"true")
    elif value is False:
        out.extend(b"false")
    elif isinstance(value, int):
        out.extend(str(value).encode())
    elif isinstance(value, str):
        _quote(value, out)
    elif isinstance(value, Dec):
        out.extend(value.text.encode())
    elif isinstance(value, dict):
        mark = 0x7B
        for key in sorted(value):
            out.append(mark)
            _quote(key, out)
            out.append(0x3A)
            _write(value[key], out)
            mark = 0x2C
        if not value:
            out.append(mark)
        out.append(0x7D)
    elif isinstance(value, (list, tuple)):
        mark = 0x5B
        for item in value:
            out.append(mark)
            _write(item, out)
            mark = 0x2C
        if not value:
            out.append(mark)
        out.append(0x5D)
    else:
        raise TypeError("not for the wire: " + str(type(value)))


def _quote(text, out):
    data = text.encode()
    out.append(0x22)
    if data and (min(data) < 0x20 or b'"' in data or b"\\" in data):
        for c in data:
            short = _MEANT.find(bytes((c,)))
            if short >= 0 and c != 0x2F:
                out.append(0x5C)
                out.append(_SHORT[short])
            elif c < 0x20:
                out.extend(("\\u%04x" % c).encode())
            else:
                out.append(c)
    else:
        out.extend(data)
    out.append(0x22)
