"""Bytes of an MQTT connection to packets; `mqtt_packets` is the face of this module.

No I/O and no state but the unfinished packet. A server knows the version from the CONNECT, a client
has chosen it. Everything a peer can send ends in packets or in a ProtocolError, never in another
exception, and a packet that is too large or of the wrong kind is refused by its first bytes.
"""

from patrol_contract import mqtt_properties
from patrol_contract.mqtt_types import (
    V5,
    V311,
    Connack,
    Connect,
    Disconnect,
    Pingreq,
    Pingresp,
    Puback,
    Publish,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
    Will,
)
from patrol_contract.mqtt_wire import (
    MALFORMED,
    PROTOCOL,
    TOO_LARGE,
    TOPIC_ALIAS_INVALID,
    UNSUPPORTED_VERSION,
    ProtocolError,
    binary,
    text,
    u16,
)

_CONNECT, _CONNACK, _PUBLISH, _PUBACK = 1, 2, 3, 4
_SUBSCRIBE, _SUBACK, _UNSUBSCRIBE, _UNSUBACK = 8, 9, 10, 11
_PINGREQ, _PINGRESP, _DISCONNECT = 12, 13, 14
_NONE = {}  # the properties of a packet that has none; never written to


# What each side may hear, by the first byte; PUBLISH alone uses its low bits (DUP, QoS, RETAIN).
_BY_SERVER = {0x10: 1, 0x40: 4, 0x82: 8, 0xA2: 10, 0xC0: 12, 0xE0: 14}
_BY_CLIENT = {0x20: 2, 0x40: 4, 0x90: 9, 0xB0: 11, 0xD0: 13, 0xE0: 14}
for _head in (0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x3A, 0x3B, 0x3C, 0x3D):
    _BY_SERVER[_head] = _BY_CLIENT[_head] = _PUBLISH
# Lengths that cannot be otherwise: a liar is caught before its body is waited for.
_LENGTH_311 = {2: 2, 4: 2, 11: 2, 12: 0, 13: 0, 14: 0}
_LENGTH_5 = {12: 0, 13: 0}


class Decoder:
    """Bytes of one connection to packets.

    version None: this is the server's side, the first packet must be a CONNECT and brings the
    version. 4 or 5: the client's side, the first packet must be a CONNACK. `limit`: the largest
    packet accepted, in bytes, fixed header included; nothing larger is ever buffered.
    """

    def __init__(self, limit: int, version=None):
        self.limit = limit
        self.version = version
        self._heads = _BY_SERVER if version is None else _BY_CLIENT
        self._first = True
        self._lengths = _LENGTH_5 if version == V5 else _LENGTH_311
        self._rest = b""

    def feed(self, data: bytes) -> list:
        """Packets that are whole now. ProtocolError when the peer broke MQTT; use no further."""
        if self._rest:
            data = self._rest + data
        packets = []
        at = 0
        end = len(data)
        try:
            while at < end:
                stop = self._one(data, at, end, packets)
                if not stop:
                    break
                at = stop
        except ProtocolError as error:
            error.packets = packets
            raise
        self._rest = data[at:] if at < end else b""
        return packets

    def _one(self, data, at, end, packets):
        """Decode the packet at `at`; where it ends, or 0 while it is not whole."""
        head = data[at]
        kind = self._heads.get(head)
        if kind is None or (kind <= _CONNACK) != self._first:  # the hello, once
            raise ProtocolError(PROTOCOL, "a packet that begins with 0x%02x here" % head)
        size = 0
        start = at + 1
        while True:
            if start == end:
                return 0
            byte = data[start]
            size |= (byte & 0x7F) << 7 * (start - at - 1)
            start += 1
            if byte < 0x80:
                break
            if start == at + 5:
                raise ProtocolError(MALFORMED, "a length of more than four bytes")
        stop = start + size
        if stop - at > self.limit:
            raise ProtocolError(TOO_LARGE, "a packet of %d bytes" % (stop - at))
        if self._lengths.get(kind, size) != size:
            raise ProtocolError(MALFORMED, "packet type %d of %d bytes" % (kind, size))
        if stop > end:
            return 0
        if kind == _PUBACK and size == 2:
            packets.append(Puback(data[start] << 8 | data[start + 1], 0, _NONE))
        else:
            packets.append(_READ[kind](self, head, data, start, stop))
        self._first = False
        return stop

    def _properties(self, data, at, stop, packet):
        if self.version != V5:
            return _NONE, at
        return mqtt_properties.decode(data, at, stop, packet)

    def _connect(self, head, data, at, stop):
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
        self.version = version
        self._lengths = _LENGTH_5 if version == V5 else _LENGTH_311
        keepalive = u16(data, at + 2, stop)
        properties, at = self._properties(data, at + 4, stop, _CONNECT)
        client_id, at = text(data, at, stop)
        will = username = password = None
        if flags & 4:
            extra, at = self._properties(data, at, stop, mqtt_properties.WILL)
            topic, at = _topic(data, at, stop)
            payload, at = binary(data, at, stop)
            will = Will(topic, payload, qos, bool(flags & 32), extra)
        if flags & 128:
            username, at = text(data, at, stop)
        if flags & 64:
            password, at = binary(data, at, stop)
        _at_end(at, stop)
        return Connect(
            client_id, version, bool(flags & 2), keepalive, username, password, will, properties
        )

    def _connack(self, head, data, at, stop):
        if at + 2 > stop or data[at] > 1:
            raise ProtocolError(MALFORMED, "CONNACK with wrong flags")
        present, reason = data[at], data[at + 1]
        if (present and reason) or (self.version == V311 and reason > 5):
            raise ProtocolError(MALFORMED, "CONNACK with reason %d" % reason)
        properties, at = self._properties(data, at + 2, stop, _CONNACK)
        _at_end(at, stop)
        return Connack(bool(present), reason, properties)

    def _publish(self, head, data, at, stop):
        topic, at = _topic(data, at, stop)
        packet_id = 0
        if head & 6:
            packet_id = _packet_id(data, at, stop)
            at += 2
        properties, at = self._properties(data, at, stop, _PUBLISH)
        if mqtt_properties.TOPIC_ALIAS in properties:  # neither side of ours ever offers one
            raise ProtocolError(TOPIC_ALIAS_INVALID, "a topic alias was not offered")
        qos = head >> 1 & 3
        return Publish(
            topic, data[at:stop], qos, bool(head & 1), bool(head & 8), packet_id, properties
        )

    def _puback(self, head, data, at, stop):
        packet_id = u16(data, at, stop)
        reason, properties = self._reason(data, at + 2, stop, _PUBACK)
        return Puback(packet_id, reason, properties)

    def _disconnect(self, head, data, at, stop):
        if self._heads is _BY_CLIENT and self.version == V311:
            raise ProtocolError(PROTOCOL, "a 3.1.1 server sends no DISCONNECT")
        reason, properties = self._reason(data, at, stop, _DISCONNECT)
        return Disconnect(reason, properties)

    def _reason(self, data, at, stop, packet):
        """Reason and properties, both of which may be left out at the packet's end."""
        if at == stop:
            return 0, _NONE
        reason = data[at]
        if at + 1 == stop:
            return reason, _NONE
        properties, at = self._properties(data, at + 1, stop, packet)
        _at_end(at, stop)
        return reason, properties

    def _subscribe(self, head, data, at, stop):
        packet_id = _packet_id(data, at, stop)
        properties, at = self._properties(data, at + 2, stop, _SUBSCRIBE)
        reserved = 0xC0 if self.version == V5 else 0xFC
        filters = []
        while at < stop:
            name, at = _filter(data, at, stop)
            if at == stop or data[at] & reserved or data[at] & 3 == 3 or data[at] >> 4 == 3:
                raise ProtocolError(MALFORMED, "SUBSCRIBE with wrong options")
            filters.append((name, data[at]))
            at += 1
        return Subscribe(packet_id, _some(filters), properties)

    def _unsubscribe(self, head, data, at, stop):
        packet_id = _packet_id(data, at, stop)
        properties, at = self._properties(data, at + 2, stop, _UNSUBSCRIBE)
        filters = []
        while at < stop:
            name, at = _filter(data, at, stop)
            filters.append(name)
        return Unsubscribe(packet_id, _some(filters), properties)

    def _suback(self, head, data, at, stop):
        packet_id = _packet_id(data, at, stop)
        properties, at = self._properties(data, at + 2, stop, _SUBACK)
        return Suback(packet_id, _some(data[at:stop]), properties)

    def _unsuback(self, head, data, at, stop):
        packet_id = _packet_id(data, at, stop)
        properties, at = self._properties(data, at + 2, stop, _UNSUBACK)
        return Unsuback(packet_id, tuple(data[at:stop]), properties)

    def _pingreq(self, head, data, at, stop):
        return Pingreq()

    def _pingresp(self, head, data, at, stop):
        return Pingresp()


_READ = {
    _CONNECT: Decoder._connect,
    _CONNACK: Decoder._connack,
    _PUBLISH: Decoder._publish,
    _PUBACK: Decoder._puback,
    _SUBSCRIBE: Decoder._subscribe,
    _SUBACK: Decoder._suback,
    _UNSUBSCRIBE: Decoder._unsubscribe,
    _UNSUBACK: Decoder._unsuback,
    _PINGREQ: Decoder._pingreq,
    _PINGRESP: Decoder._pingresp,
    _DISCONNECT: Decoder._disconnect,
}


def _packet_id(data, at, stop):
    packet_id = u16(data, at, stop)
    if not packet_id:
        raise ProtocolError(PROTOCOL, "packet identifier 0")
    return packet_id


def _topic(data, at, stop):
    topic, end = text(data, at, stop)
    if not topic or "+" in topic or "#" in topic:
        raise ProtocolError(MALFORMED, "a topic that is empty or has a wildcard")
    return topic, end


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


def _some(items):
    if not items:
        raise ProtocolError(PROTOCOL, "a list without an entry")
    return tuple(items)


def _at_end(at, stop):
    if at != stop:
        raise ProtocolError(MALFORMED, "%d bytes behind the packet's last field" % (stop - at))
