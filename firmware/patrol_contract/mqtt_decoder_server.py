"""What only a server hears: CONNECT, SUBSCRIBE, UNSUBSCRIBE, PINGREQ. Used by mqtt_decoder.Decoder.

Each function takes (decoder, first byte, data, at, stop) of a whole packet and returns it.
"""

from patrol_contract.mqtt_decoder import LENGTH_5, LENGTH_311, PUBLISH_HEADS, Decoder
from patrol_contract.mqtt_properties import WILL
from patrol_contract.mqtt_types import (
    V5,
    V311,
    Connect,
    Pingreq,
    Subscribe,
    Unsubscribe,
    Will,
)
from patrol_contract.mqtt_wire import (
    MALFORMED,
    UNSUPPORTED_VERSION,
    ProtocolError,
    at_end,
    binary,
    packet_id,
    some,
    text,
    topic,
    u16,
)

_CONNECT, _PUBLISH, _PUBACK, _SUBSCRIBE, _UNSUBSCRIBE = 1, 3, 4, 8, 10
_PINGREQ, _DISCONNECT = 12, 14

HEADS = {0x10: 1, 0x40: 4, 0x82: 8, 0xA2: 10, 0xC0: 12, 0xE0: 14}
for _head in PUBLISH_HEADS:
    HEADS[_head] = _PUBLISH


def _connect(decoder, head, data, at, stop):
    name, at = text(data, at, stop)
    if at + 4 > stop:
        raise ProtocolError(MALFORMED, "CONNECT ends before its keep-alive")
    version, flags = data[at], data[at + 1]
    if name != "MQTT" or version not in (V311, V5):
        raise ProtocolError(UNSUPPORTED_VERSION, "protocol %r %d" % (name, version))
    qos = flags >> 3 & 3
    if flags & 1 or qos == 3 or (not flags & 4 and flags & 0x38):
        raise ProtocolError(MALFORMED, "CONNECT with flags 0x%02x" % flags)
    if version == V311 and flags & 0xC0 == 0x40:
        raise ProtocolError(MALFORMED, "CONNECT with a password and no user name")
    decoder.version = version
    decoder.lengths = LENGTH_5 if version == V5 else LENGTH_311
    keepalive = u16(data, at + 2, stop)
    properties, at = decoder.properties(data, at + 4, stop, _CONNECT)
    client_id, at = text(data, at, stop)
    will = username = password = None
    if flags & 4:
        extra, at = decoder.properties(data, at, stop, WILL)
        name, at = topic(data, at, stop)
        payload, at = binary(data, at, stop)
        will = Will(name, payload, qos, bool(flags & 32), extra)
    if flags & 128:
        username, at = text(data, at, stop)
    if flags & 64:
        password, at = binary(data, at, stop)
    at_end(at, stop)
    return Connect(
        client_id, version, bool(flags & 2), keepalive, username, password, will, properties
    )


def _subscribe(decoder, head, data, at, stop):
    number = packet_id(data, at, stop)
    properties, at = decoder.properties(data, at + 2, stop, _SUBSCRIBE)
    reserved = 0xC0 if decoder.version == V5 else 0xFC
    filters = []
    while at < stop:
        name, at = _filter(data, at, stop)
        if at == stop or data[at] & reserved or data[at] & 3 == 3 or data[at] >> 4 == 3:
            raise ProtocolError(MALFORMED, "SUBSCRIBE with wrong options")
        filters.append((name, data[at]))
        at += 1
    return Subscribe(number, some(filters), properties)


def _unsubscribe(decoder, head, data, at, stop):
    number = packet_id(data, at, stop)
    properties, at = decoder.properties(data, at + 2, stop, _UNSUBSCRIBE)
    filters = []
    while at < stop:
        name, at = _filter(data, at, stop)
        filters.append(name)
    return Unsubscribe(number, some(filters), properties)


def _filter(data, at, stop):
    name, end = text(data, at, stop)
    levels = name.split("/")
    for number, level in enumerate(levels):
        if (level != "+" and "+" in level) or (level != "#" and "#" in level):
            raise ProtocolError(MALFORMED, "a wildcard inside a level")
        if level == "#" and number + 1 < len(levels):
            raise ProtocolError(MALFORMED, "# is not the last level")
    if not name:
        raise ProtocolError(MALFORMED, "an empty topic filter")
    return name, end


def _pingreq(decoder, head, data, at, stop):
    return Pingreq()


READ = {
    _CONNECT: _connect,
    _PUBLISH: Decoder.publish,
    _PUBACK: Decoder.puback,
    _SUBSCRIBE: _subscribe,
    _UNSUBSCRIBE: _unsubscribe,
    _PINGREQ: _pingreq,
    _DISCONNECT: Decoder.disconnect,
}
