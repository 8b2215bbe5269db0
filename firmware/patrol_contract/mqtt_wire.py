"""The pieces of which MQTT packets are made (OASIS MQTT 3.1.1 / 5.0, section 1.5).

Readers take (data, at, stop) and give (value, where it ends); they raise ProtocolError and nothing
else, whatever the bytes are.
"""

MALFORMED = 0x81
PROTOCOL = 0x82
UNSUPPORTED_VERSION = 0x84
TOPIC_ALIAS_INVALID = 0x94
TOO_LARGE = 0x95


class ProtocolError(Exception):
    """The other side broke MQTT: close the connection.

    `reason_code` is the MQTT 5 code to close it with; `packets` came whole before the fault.
    """

    def __init__(self, reason_code: int, why: str):
        super().__init__(why)
        self.reason_code = reason_code
        self.packets = []


def u16(data: bytes, at: int, stop: int) -> int:
    """Two bytes, big end first. They end at `at + 2`."""
    if at + 2 > stop:
        raise ProtocolError(MALFORMED, "the packet ends inside a number")
    return data[at] << 8 | data[at + 1]


def varint(data: bytes, at: int, stop: int) -> tuple:
    """Variable byte integer: 7 bits a byte, low ones first, four bytes at the most."""
    value = 0
    for shift in (0, 7, 14, 21):
        if at >= stop:
            raise ProtocolError(MALFORMED, "the packet ends inside a length")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ProtocolError(MALFORMED, "a length of more than four bytes")


def binary(data: bytes, at: int, stop: int) -> tuple:
    """Two bytes of length, then so many bytes."""
    end = at + 2 + u16(data, at, stop)
    if end > stop:
        raise ProtocolError(MALFORMED, "a field longer than its packet")
    return data[at + 2 : end], end


def text(data: bytes, at: int, stop: int) -> tuple:
    """UTF-8 with two bytes of length; U+0000 is refused (section 1.5.3)."""
    raw, end = binary(data, at, stop)
    try:
        value = str(raw, "utf-8")
    except UnicodeError:
        raise ProtocolError(MALFORMED, "text that is not UTF-8")
    if b"\x00" in raw:
        raise ProtocolError(MALFORMED, "text with a NUL in it")
    return value, end


def packet_id(data: bytes, at: int, stop: int) -> int:
    """u16 that is not 0."""
    value = u16(data, at, stop)
    if not value:
        raise ProtocolError(PROTOCOL, "packet identifier 0")
    return value


def topic(data: bytes, at: int, stop: int) -> tuple:
    """A topic to publish to: not empty, no wildcard."""
    name, end = text(data, at, stop)
    if not name or "+" in name or "#" in name:
        raise ProtocolError(MALFORMED, "a topic that is empty or has a wildcard")
    return name, end


def some(items) -> tuple:
    """`items` as a tuple that must not be empty."""
    if not items:
        raise ProtocolError(PROTOCOL, "a list without an entry")
    return tuple(items)


def at_end(at: int, stop: int) -> None:
    """Nothing may follow a packet's last field."""
    if at != stop:
        raise ProtocolError(MALFORMED, "%d bytes behind the packet's last field" % (stop - at))


def put_varint(value: int) -> bytes:
    """Up to 268,435,455; ValueError above."""
    if value < 0x80:
        return bytes((value,))
    if value < 0x4000:
        return bytes((value & 0x7F | 0x80, value >> 7))
    if value > 0x0FFFFFFF:
        raise ValueError("MQTT cannot write a length of %d" % value)
    tail = (value >> 14 & 0x7F | 0x80, value >> 21) if value >> 21 else (value >> 14,)
    return bytes((value & 0x7F | 0x80, value >> 7 & 0x7F | 0x80) + tail)


def put_binary(value: bytes) -> bytes:
    """Up to 65,535 bytes; ValueError above."""
    if len(value) > 0xFFFF:
        raise ValueError("MQTT cannot write a field of %d bytes" % len(value))
    return len(value).to_bytes(2, "big") + value


def put_text(value: str) -> bytes:
    """As put_binary, from a str."""
    return put_binary(value.encode())
