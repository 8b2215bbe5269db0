"""MQTT 5 properties (OASIS MQTT 5.0, section 2.2.2): a dict of identifier -> value on both sides.

A repeatable property (user property, subscription identifier) is a list. Bytes in, bytes out; the
table says of each identifier how it is written and in which packets it may stand.
"""

from patrol_contract.mqtt_wire import (
    MALFORMED,
    PROTOCOL,
    ProtocolError,
    binary,
    put_binary,
    put_text,
    put_varint,
    text,
    u16,
    varint,
)

PAYLOAD_FORMAT = 0x01
MESSAGE_EXPIRY = 0x02  # seconds
CONTENT_TYPE = 0x03
RESPONSE_TOPIC = 0x08
CORRELATION_DATA = 0x09
SUBSCRIPTION_ID = 0x0B
SESSION_EXPIRY = 0x11  # seconds
ASSIGNED_CLIENT_ID = 0x12
SERVER_KEEP_ALIVE = 0x13  # seconds
REQUEST_PROBLEM = 0x17
WILL_DELAY = 0x18  # seconds
REQUEST_RESPONSE = 0x19
REASON_STRING = 0x1F
RECEIVE_MAXIMUM = 0x21
TOPIC_ALIAS_MAXIMUM = 0x22
TOPIC_ALIAS = 0x23
MAXIMUM_QOS = 0x24
RETAIN_AVAILABLE = 0x25
USER_PROPERTY = 0x26
MAXIMUM_PACKET_SIZE = 0x27
WILDCARD_AVAILABLE = 0x28
SUBSCRIPTION_ID_AVAILABLE = 0x29
SHARED_AVAILABLE = 0x2A

WILL = 0  # the packet type 0 does not exist: here it stands for a CONNECT's will
_ANY = 0x7FFF  # every packet type, will included

# identifier -> (how it is written: 1 2 4 bytes, v varint, s text, b binary, p text pair; packets)
_TABLE = {
    PAYLOAD_FORMAT: ("1", 1 << 3 | 1 << WILL),
    MESSAGE_EXPIRY: ("4", 1 << 3 | 1 << WILL),
    CONTENT_TYPE: ("s", 1 << 3 | 1 << WILL),
    RESPONSE_TOPIC: ("s", 1 << 3 | 1 << WILL),
    CORRELATION_DATA: ("b", 1 << 3 | 1 << WILL),
    SUBSCRIPTION_ID: ("v", 1 << 3 | 1 << 8),
    SESSION_EXPIRY: ("4", 1 << 1 | 1 << 2 | 1 << 14),
    ASSIGNED_CLIENT_ID: ("s", 1 << 2),
    SERVER_KEEP_ALIVE: ("2", 1 << 2),
    0x15: ("s", 1 << 1 | 1 << 2),  # authentication method: carried, never served
    0x16: ("b", 1 << 1 | 1 << 2),  # authentication data
    REQUEST_PROBLEM: ("1", 1 << 1),
    WILL_DELAY: ("4", 1 << WILL),
    REQUEST_RESPONSE: ("1", 1 << 1),
    0x1A: ("s", 1 << 2),  # response information
    0x1C: ("s", 1 << 2 | 1 << 14),  # server reference
    REASON_STRING: ("s", 1 << 2 | 1 << 4 | 1 << 9 | 1 << 11 | 1 << 14),
    RECEIVE_MAXIMUM: ("2", 1 << 1 | 1 << 2),
    TOPIC_ALIAS_MAXIMUM: ("2", 1 << 1 | 1 << 2),
    TOPIC_ALIAS: ("2", 1 << 3),
    MAXIMUM_QOS: ("1", 1 << 2),
    RETAIN_AVAILABLE: ("1", 1 << 2),
    USER_PROPERTY: ("p", _ANY),
    MAXIMUM_PACKET_SIZE: ("4", 1 << 1 | 1 << 2),
    WILDCARD_AVAILABLE: ("1", 1 << 2),
    SUBSCRIPTION_ID_AVAILABLE: ("1", 1 << 2),
    SHARED_AVAILABLE: ("1", 1 << 2),
}
_NOT_ZERO = (RECEIVE_MAXIMUM, MAXIMUM_PACKET_SIZE, SUBSCRIPTION_ID, TOPIC_ALIAS)
_FLAGS = (
    PAYLOAD_FORMAT,
    REQUEST_PROBLEM,
    REQUEST_RESPONSE,
    MAXIMUM_QOS,
    RETAIN_AVAILABLE,
    WILDCARD_AVAILABLE,
    SUBSCRIPTION_ID_AVAILABLE,
    SHARED_AVAILABLE,
)


def encode(properties) -> bytes:
    """Length and properties as they stand in a packet; None and {} are the one byte 0."""
    parts = []
    for key, value in (properties or {}).items():
        how = _TABLE[key][0]
        for one in value if isinstance(value, list) else (value,):
            parts.append(bytes((key,)))
            parts.append(_put(how, one))
    body = b"".join(parts)
    return put_varint(len(body)) + body


def decode(data: bytes, at: int, stop: int, packet: int) -> tuple:
    """(properties, where they end) of the packet type given. ProtocolError when they are wrong."""
    size, at = varint(data, at, stop)
    end = at + size
    if end > stop:
        raise ProtocolError(MALFORMED, "properties longer than their packet")
    found = {}
    while at < end:
        key = data[at]
        if key not in _TABLE or not _TABLE[key][1] >> packet & 1:
            raise ProtocolError(
                MALFORMED, "property %d does not belong in packet %d" % (key, packet)
            )
        value, at = _take(_TABLE[key][0], data, at + 1, end)
        if (value == 0 and key in _NOT_ZERO) or (key in _FLAGS and value not in (0, 1)):
            raise ProtocolError(PROTOCOL, "property %d has the value %d" % (key, value))
        if key in (USER_PROPERTY, SUBSCRIPTION_ID):
            found.setdefault(key, []).append(value)
        elif key in found:
            raise ProtocolError(PROTOCOL, "property %d twice" % key)
        else:
            found[key] = value
    return found, end


def _put(how, value):
    if how == "p":
        return put_text(value[0]) + put_text(value[1])
    if how == "s":
        return put_text(value)
    if how == "b":
        return put_binary(value)
    if how == "v":
        return put_varint(value)
    return value.to_bytes(int(how), "big")


def _take(how, data, at, end):
    if how == "p":
        key, at = text(data, at, end)
        value, at = text(data, at, end)
        return (key, value), at
    if how == "s":
        return text(data, at, end)
    if how == "b":
        return binary(data, at, end)
    if how == "v":
        return varint(data, at, end)
    if how == "2":
        return u16(data, at, end), at + 2
    size = int(how)
    if at + size > end:
        raise ProtocolError(MALFORMED, "a property ends before its value")
    return int.from_bytes(data[at : at + size], "big"), at + size
