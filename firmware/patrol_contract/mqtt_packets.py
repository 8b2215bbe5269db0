"""MQTT 3.1.1 (version 4) and 5: packets to bytes and bytes to packets, for client and server.

No I/O and no state but the unfinished packet: `Decoder.feed` takes bytes as they come and gives the
packets that are whole; the same packets come out however the bytes were split. Every `encode_`
gives the bytes of one packet, so that one write sends it (several small writes meet Nagle's
algorithm and cost 40 ms each).

QoS 2 is not spoken: PUBREC, PUBREL and PUBCOMP are refused as any unknown packet, and a PUBLISH of
QoS 2 is decoded so that a server can refuse it by its reason (0x9B). Source: OASIS MQTT 3.1.1, 5.0.
"""

from patrol_contract.mqtt_decoder import Decoder
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
from patrol_contract.mqtt_wire import ProtocolError, put_binary, put_text, put_varint

__all__ = (  # what is defined elsewhere and belongs to this face
    "V5",
    "V311",
    "Connack",
    "Connect",
    "Decoder",
    "Disconnect",
    "Pingreq",
    "Pingresp",
    "ProtocolError",
    "Puback",
    "Publish",
    "Suback",
    "Subscribe",
    "Unsuback",
    "Unsubscribe",
    "Will",
)


def _properties(properties):
    from patrol_contract import mqtt_properties  # a 3.1.1 client never loads its 7 KB

    return mqtt_properties.encode(properties)


def _packet(head, body):
    return bytes((head,)) + put_varint(len(body)) + body


def encode_connect(packet) -> bytes:
    """A Connect; its version decides how it is written."""
    will = packet.will
    flags = 2 if packet.clean else 0
    if will is not None:
        flags |= 4 | will.qos << 3 | (32 if will.retain else 0)
    flags |= (128 if packet.username is not None else 0) | (
        64 if packet.password is not None else 0
    )
    parts = [b"\x00\x04MQTT", bytes((packet.version, flags)), packet.keepalive.to_bytes(2, "big")]
    five = packet.version == V5
    if five:
        parts.append(_properties(packet.properties))
    parts.append(put_text(packet.client_id))
    if will is not None:
        if five:
            parts.append(_properties(will.properties))
        parts.append(put_text(will.topic))
        parts.append(put_binary(will.payload))
    if packet.username is not None:
        parts.append(put_text(packet.username))
    if packet.password is not None:
        parts.append(put_binary(packet.password))
    return _packet(0x10, b"".join(parts))


def encode_connack(version: int, session_present: bool, reason: int, properties=None) -> bytes:
    """reason: the code of that version (3.1.1 knows 0 to 5)."""
    body = bytes((1 if session_present else 0, reason))
    return _packet(0x20, body + _properties(properties) if version == V5 else body)


def encode_publish(
    version: int,
    topic: str,
    payload: bytes,
    qos: int = 0,
    packet_id: int = 0,
    retain: bool = False,
    dup: bool = False,
    properties=None,
) -> bytes:
    """packet_id counts with QoS 1 only."""
    head = 0x30 | qos << 1
    if retain:
        head |= 1
    if dup:
        head |= 8
    name = topic.encode()
    long = len(name)
    parts = [b"", bytes((long >> 8, long & 255)), name]
    size = 2 + long + len(payload)
    if qos:
        parts.append(bytes((packet_id >> 8, packet_id & 255)))
        size += 2
    if version == V5:
        extra = _properties(properties)
        parts.append(extra)
        size += len(extra)
    parts.append(payload)
    parts[0] = bytes((head, size)) if size < 128 else bytes((head,)) + put_varint(size)
    return b"".join(parts)


def again(packet: bytes) -> bytes:
    """The same PUBLISH with DUP set, as it must be sent after a reconnect."""
    return bytes((packet[0] | 8,)) + packet[1:]


def encode_puback(version: int, packet_id: int, reason: int = 0, properties=None) -> bytes:
    """A reason (0x80 and above: refused) can be said in MQTT 5 only; 3.1.1 has no word for it."""
    if version != V5 or not (reason or properties):
        return bytes((0x40, 2, packet_id >> 8, packet_id & 255))
    extra = _properties(properties) if properties else b""
    return _packet(0x40, bytes((packet_id >> 8, packet_id & 255, reason)) + extra)


def _listing(version, head, packet_id, body, properties):
    extra = _properties(properties) if version == V5 else b""
    return _packet(head, packet_id.to_bytes(2, "big") + extra + body)


def encode_subscribe(version: int, packet_id: int, filters, properties=None) -> bytes:
    """filters: pairs of (topic filter, options); options are the QoS in 3.1.1."""
    body = b"".join([put_text(name) + bytes((options,)) for name, options in filters])
    return _listing(version, 0x82, packet_id, body, properties)


def encode_suback(version: int, packet_id: int, reasons, properties=None) -> bytes:
    """reasons: granted QoS or refusal, one for each filter, in their order."""
    return _listing(version, 0x90, packet_id, bytes(reasons), properties)


def encode_unsubscribe(version: int, packet_id: int, filters, properties=None) -> bytes:
    """filters: topic filters."""
    return _listing(version, 0xA2, packet_id, b"".join([put_text(f) for f in filters]), properties)


def encode_unsuback(version: int, packet_id: int, reasons=(), properties=None) -> bytes:
    """reasons are written in MQTT 5 only."""
    body = bytes(reasons) if version == V5 else b""
    return _listing(version, 0xB0, packet_id, body, properties)


def encode_pingreq() -> bytes:
    """Two bytes."""
    return b"\xc0\x00"


def encode_pingresp() -> bytes:
    """Two bytes."""
    return b"\xd0\x00"


def encode_disconnect(version: int, reason: int = 0, properties=None) -> bytes:
    """Only MQTT 5 can say why; only there may a server send it."""
    if version != V5 or not (reason or properties):
        return b"\xe0\x00"
    extra = _properties(properties) if properties else b""
    return _packet(0xE0, bytes((reason,)) + extra)
