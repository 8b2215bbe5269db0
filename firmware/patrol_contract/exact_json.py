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

_ESCAPES = {0x22: '"', 0x5C: "\\", 0x2F: "/", 0x62: "\b", 0x66: "\f", 0x6E: "\n", 0x72: "\r"}
_ESCAPES[0x74] = "\t"
_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_DIGIT = b"0123456789"


class Dec:
    """A decimal as written: `Dec("31.2480350")`. Compare and convert by text, never by float."""

    def __init__(self, text):
        self.text = text

    def __eq__(self, other):
        return isinstance(other, Dec) and other.text == self.text

    def __hash__(self):
        return hash(self.text)

    def __repr__(self):
        return "Dec('" + self.text + "')"

    @classmethod
    def of(cls, scaled, places):
        """The decimal `scaled` / 10**`places`, always written with all its places."""
        sign = "-" if scaled < 0 else ""
        digits = str(abs(scaled))
        digits = "0" * (places + 1 - len(digits)) + digits
        return cls(sign + digits[:-places] + "." + digits[-places:])

    def scaled(self, places):
        """As an integer of 10**-`places`; more places than that is a ContractError."""
        whole, part = self.text.split(".")
        if len(part) > places:
            extra = part[places:]
            if extra != "0" * len(extra):
                raise ContractError(self.text + " has more than " + str(places) + " decimals")
            part = part[:places]
        value = int(whole.lstrip("-") + part + "0" * (places - len(part)))
        return -value if whole.startswith("-") else value


def loads(data):
    """Parse UTF-8 bytes to dict, list, str, int, bool, None and Dec; else ContractError.

    Refused, because senders that differ on them cannot be trusted to mean the same: duplicate
    keys, exponents, NaN, lone surrogates, trailing text, more than DEPTH levels.
    """
    data = bytes(data)
    try:
        value, at = _value(data, _space(data, 0), 0)
    except (IndexError, UnicodeError):
        raise ContractError("JSON ends early or is not UTF-8")
    if _space(data, at) != len(data):
        raise ContractError("JSON is followed by something else at byte " + str(at))
    return value


def _fault(data, at):
    return ContractError("not JSON at byte " + str(at))


def _space(data, at):
    end = len(data)
    while at < end and data[at] in b" \t\r\n":
        at += 1
    return at


def _value(data, at, depth):
    c = data[at]
    if c == 0x22:
        return _string(data, at + 1)
    if c == 0x7B or c == 0x5B:
        if depth == DEPTH:
            raise ContractError("JSON is nested deeper than " + str(DEPTH))
        return _object(data, at + 1, depth + 1) if c == 0x7B else _array(data, at + 1, depth + 1)
    if c == 0x2D or c in _DIGIT:
        return _number(data, at)
    for word, value in ((b"true", True), (b"false", False), (b"null", None)):
        if data[at : at + len(word)] == word:
            return value, at + len(word)
    raise _fault(data, at)


def _object(data, at, depth):
    out = {}
    at = _space(data, at)
    if data[at] == 0x7D:
        return out, at + 1
    while True:
        if data[at] != 0x22:
            raise _fault(data, at)
        key, at = _string(data, at + 1)
        at = _space(data, at)
        if data[at] != 0x3A or key in out:
            raise _fault(data, at)
        out[key], at = _value(data, _space(data, at + 1), depth)
        at = _space(data, at)
        if data[at] == 0x7D:
            return out, at + 1
        if data[at] != 0x2C:
            raise _fault(data, at)
        at = _space(data, at + 1)


def _array(data, at, depth):
    out = []
    at = _space(data, at)
    if data[at] == 0x5D:
        return out, at + 1
    while True:
        value, at = _value(data, at, depth)
        out.append(value)
        at = _space(data, at)
        if data[at] == 0x5D:
            return out, at + 1
        if data[at] != 0x2C:
            raise _fault(data, at)
        at = _space(data, at + 1)


def _number(data, at):
    start = at
    if data[at] == 0x2D:
        at += 1
    first = at
    at = _digits(data, at)
    if at == first or at - first > DIGITS or (data[first] == 0x30 and at - first > 1):
        raise _fault(data, start)
    if at < len(data) and data[at] == 0x2E:
        point = at
        at = _digits(data, at + 1)
        if at == point + 1 or at - first > DIGITS + 1:
            raise _fault(data, start)
    if at < len(data) and data[at] in b"eE":
        raise ContractError("a number with an exponent at byte " + str(start))
    text = data[start:at].decode()
    return (Dec(text) if "." in text else int(text)), at


def _digits(data, at):
    end = len(data)
    while at < end and data[at] in _DIGIT:
        at += 1
    return at


def _string(data, at):
    start = at
    parts = []
    while True:
        c = data[at]
        if c == 0x22:
            parts.append(data[start:at].decode())
            return "".join(parts), at + 1
        if c < 0x20:
            raise _fault(data, at)
        if c == 0x5C:
            parts.append(data[start:at].decode())
            char, at = _escape(data, at + 1)
            parts.append(char)
            start = at
        else:
            at += 1


def _escape(data, at):
    if data[at] != 0x75:
        if data[at] not in _ESCAPES:
            raise _fault(data, at)
        return _ESCAPES[data[at]], at + 1
    code, at = _hex4(data, at + 1)
    if 0xD800 <= code < 0xDC00 and data[at : at + 2] == b"\\u":  # UTF-16 pair
        low, at = _hex4(data, at + 2)
        if not 0xDC00 <= low < 0xE000:
            raise _fault(data, at)
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
    if 0xD800 <= code < 0xE000:
        raise _fault(data, at)
    return chr(code), at


def _hex4(data, at):
    text = data[at : at + 4]
    for c in text:
        if c not in b"0123456789abcdefABCDEF":
            raise _fault(data, at)
    if len(text) < 4:
        raise _fault(data, at)
    return int(text.decode(), 16), at + 4


def dumps(value):
    """Canonical bytes of dict, list, tuple, str, int, bool, None, Dec; a float is a TypeError."""
    out = []
    _write(value, out)
    return "".join(out).encode()


def _write(value, out):
    if value is None:
        out.append("null")
    elif value is True:
        out.append("true")
    elif value is False:
        out.append("false")
    elif isinstance(value, int):
        out.append(str(value))
    elif isinstance(value, str):
        out.append(_quoted(value))
    elif isinstance(value, Dec):
        out.append(value.text)
    elif isinstance(value, dict):
        mark = "{"
        for key in sorted(value):
            out.append(mark + _quoted(key) + ":")
            _write(value[key], out)
            mark = ","
        out.append("}" if mark == "," else "{}")
    elif isinstance(value, (list, tuple)):
        mark = "["
        for item in value:
            out.append(mark)
            _write(item, out)
            mark = ","
        out.append("]" if mark == "," else "[]")
    else:
        raise TypeError("not for the wire: " + str(type(value)))


def _quoted(text):
    for char in text:
        if char in _SHORT or ord(char) < 0x20:
            break
    else:
        return '"' + text + '"'
    return '"' + "".join([_SHORT.get(c) or _plain(c) for c in text]) + '"'


def _plain(char):
    return char if ord(char) >= 0x20 else "\\u%04x" % ord(char)
