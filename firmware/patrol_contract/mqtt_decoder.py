"""Bytes of an MQTT connection to packets; `mqtt_packets` is the face of this module.

No I/O and no state but the unfinished packet. A server knows the version from the CONNECT, a client
has chosen it. Everything a peer can send ends in packets or in a ProtocolError, never in another
exception, and a packet that is too large or of the wrong kind is refused by its first bytes.

Here is what a client hears; what only a server does is in mqtt_decoder_server.py, and MQTT 5's
properties in mqtt_properties.py: on a unit each of them would be heap for nothing.
"""

from patrol_contract.mqtt_types import (
    V5,
    V311,
    Connack,
    Disconnect,
    Pingresp,
    Puback,
    Publish,
    Suback,
    Unsuback,
)
from patrol_contract.mqtt_wire import (
    MALFORMED,
    PROTOCOL,
    TOO_LARGE,
    TOPIC_ALIAS_INVALID,
    ProtocolError,
    at_end,
    packet_id,
    some,
    topic,
    u16,
)

_CONNACK, _PUBLISH, _PUBACK, _SUBACK, _UNSUBACK, _PINGRESP, _DISCONNECT = 2, 3, 4, 9, 11, 13, 14
_TOPIC_ALIAS = 0x23
_PIECE = 256  # bytes: smaller pieces of a payload are put together as they come
_NONE = {}  # the properties of a packet that has none; never written to

# What a client may hear, by the first byte; PUBLISH alone uses its low bits (DUP, QoS, RETAIN).
_HEADS = {0x20: 2, 0x40: 4, 0x90: 9, 0xB0: 11, 0xD0: 13, 0xE0: 14}
PUBLISH_HEADS = (0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x3A, 0x3B, 0x3C, 0x3D)
for _head in PUBLISH_HEADS:
    _HEADS[_head] = _PUBLISH
# Lengths that cannot be otherwise: a liar is caught before its body is waited for.
LENGTH_311 = {2: 2, 4: 2, 11: 2, 12: 0, 13: 0, 14: 0}
LENGTH_5 = {12: 0, 13: 0}


class Decoder:
    """Bytes of one connection to packets.

    version None: this is the server's side, the first packet must be a CONNECT and brings the
    version. 4 or 5: the client's side, the first packet must be a CONNACK. `limit`: the largest
    packet accepted, in bytes, fixed header included; nothing larger is ever buffered.
    """

    def __init__(self, limit: int, version=None):
        self.limit = limit
        self.version = version
        self._heads = _HEADS
        self._read = _READ
        if version is None:
            from patrol_contract import mqtt_decoder_server as server  # a unit never loads it

            self._heads = server.HEADS
            self._read = server.READ
        self._first = True
        self.lengths = LENGTH_5 if version == V5 else LENGTH_311
        self._rest = b""
        self._begun = 0, ()  # first byte and opening of a PUBLISH whose payload is still coming
        self._parts = []  # of that payload
        self._missing = 0  # bytes of it

    def feed(self, data: bytes) -> list:
        """Packets that are whole now. ProtocolError when the peer broke MQTT; use no further."""
        packets = []
        if self._missing:
            data = self._payload(data, packets)
        elif self._rest:
            data = self._rest + data
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
        if self.lengths.get(kind, size) != size:
            raise ProtocolError(MALFORMED, "packet type %d of %d bytes" % (kind, size))
        if stop > end:
            return self._begin(head, data, start, end, stop) if kind == _PUBLISH else 0
        if kind == _PUBACK and size == 2:
            packets.append(Puback(data[start] << 8 | data[start + 1], 0, _NONE))
        else:
            packets.append(self._read[kind](self, head, data, start, stop))
        self._first = False
        return stop

    def properties(self, data, at, stop, packet):
        """(properties of a packet of that type, where they end)."""
        if self.version != V5:
            return _NONE, at
        from patrol_contract import mqtt_properties  # a 3.1.1 client never loads its 7 KB

        return mqtt_properties.decode(data, at, stop, packet)

    def _connack(self, head, data, at, stop):
        if at + 2 > stop or data[at] > 1:
            raise ProtocolError(MALFORMED, "CONNACK with wrong flags")
        present, reason = data[at], data[at + 1]
        if (present and reason) or (self.version == V311 and reason > 5):
            raise ProtocolError(MALFORMED, "CONNACK with reason %d" % reason)
        properties, at = self.properties(data, at + 2, stop, _CONNACK)
        at_end(at, stop)
        return Connack(bool(present), reason, properties)

    def publish(self, head, data, at, stop):
        opening = self._opening(head, data, at, stop)
        return _publish(head, opening, data[opening[3] : stop])

    def _opening(self, head, data, at, stop):
        """(topic, packet identifier, properties, where the payload begins) of a PUBLISH."""
        name, at = topic(data, at, stop)
        number = 0
        if head & 6:
            number = packet_id(data, at, stop)
            at += 2
        properties, at = self.properties(data, at, stop, _PUBLISH)
        if _TOPIC_ALIAS in properties:  # neither side of ours ever offers one
            raise ProtocolError(TOPIC_ALIAS_INVALID, "a topic alias was not offered")
        return name, number, properties, at

    def _begin(self, head, data, at, end, stop):
        """A PUBLISH of which `end - at` bytes have come. Its payload is put together only once: in
        a heap of 60 KB the longest plan finds one block of its size, not two.

        0 while its opening is not whole, or is wrong: that is said when all of it has come.
        """
        try:
            opening = self._opening(head, data, at, end)
        except ProtocolError:
            return 0
        self._begun = head, opening
        self._parts = [data[opening[3] : end]]
        self._missing = stop - end
        return end

    def _payload(self, data, packets):
        """Take what is missing of a payload; what follows it."""
        part = data[: self._missing]
        if len(self._parts[-1]) + len(part) <= _PIECE:  # a byte by itself would take 40
            self._parts[-1] += part
        else:
            self._parts.append(part)
        self._missing -= len(part)
        if not self._missing:
            packets.append(_publish(*self._begun, b"".join(self._parts)))
            self._parts = []
        return data[len(part) :]

    def puback(self, head, data, at, stop):
        number = u16(data, at, stop)
        reason, properties = self._reason(data, at + 2, stop, _PUBACK)
        return Puback(number, reason, properties)

    def disconnect(self, head, data, at, stop):
        if self._heads is _HEADS and self.version == V311:
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
        properties, at = self.properties(data, at + 1, stop, packet)
        at_end(at, stop)
        return reason, properties

    def _suback(self, head, data, at, stop):
        number = packet_id(data, at, stop)
        properties, at = self.properties(data, at + 2, stop, _SUBACK)
        return Suback(number, some(data[at:stop]), properties)

    def _unsuback(self, head, data, at, stop):
        number = packet_id(data, at, stop)
        properties, at = self.properties(data, at + 2, stop, _UNSUBACK)
        return Unsuback(number, tuple(data[at:stop]), properties)

    def _pingresp(self, head, data, at, stop):
        return Pingresp()


def _publish(head, opening, payload):
    name, number, properties, _ = opening
    return Publish(name, payload, head >> 1 & 3, bool(head & 1), bool(head & 8), number, properties)


_READ = {
    _CONNACK: Decoder._connack,
    _PUBLISH: Decoder.publish,
    _PUBACK: Decoder.puback,
    _SUBACK: Decoder._suback,
    _UNSUBACK: Decoder._unsuback,
    _PINGRESP: Decoder._pingresp,
    _DISCONNECT: Decoder.disconnect,
}
