"""The codec: what is written comes back however it is split, and what is broken is refused."""

from patrol_contract import mqtt_properties as p
from patrol_contract.mqtt_packets import (
    V5,
    V311,
    Connack,
    Connect,
    Decoder,
    Disconnect,
    Pingreq,
    Pingresp,
    ProtocolError,
    Puback,
    Publish,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
    Will,
    again,
    encode_connack,
    encode_connect,
    encode_disconnect,
    encode_pingreq,
    encode_pingresp,
    encode_puback,
    encode_publish,
    encode_suback,
    encode_subscribe,
    encode_unsuback,
    encode_unsubscribe,
)

PLAIN = Connect("u-1", V311, False, 30, None, None, None, {})


def connect(version, will=None, properties=None):
    return Connect("u-1", version, False, 30, "u-1", b"\x00secret", will, properties or {})


def server(version):
    decoder = Decoder(70000)
    assert decoder.feed(encode_connect(connect(version)))
    return decoder


def client(version):
    decoder = Decoder(70000, version)
    assert decoder.feed(encode_connack(version, False, 0))
    return decoder


def refused(data, decoder=None, code=None):
    try:
        (decoder or client(V311)).feed(data)
    except ProtocolError as error:
        assert code is None or error.reason_code == code, (data, error.reason_code, error)
        return error
    raise AssertionError("accepted %r" % data)


def test_the_bytes_are_the_standards():
    # Written out by hand from the standards' figures, so that both halves cannot err together.
    assert encode_connect(PLAIN) == b"\x10\x0f\x00\x04MQTT\x04\x00\x00\x1e\x00\x03u-1"
    assert encode_connect(Connect("a", V5, True, 0, None, None, None, {p.RECEIVE_MAXIMUM: 8})) == (
        b"\x10\x11\x00\x04MQTT\x05\x02\x00\x00\x03\x21\x00\x08\x00\x01a"
    )
    assert encode_publish(V311, "a/b", b"hi", 1, 10) == b"\x32\x09\x00\x03a/b\x00\x0ahi"
    assert encode_publish(V5, "a/b", b"hi", 1, 10) == b"\x32\x0a\x00\x03a/b\x00\x0a\x00hi"
    assert encode_publish(V311, "a", b"", 0, retain=True) == b"\x31\x03\x00\x01a"
    assert again(encode_publish(V311, "a", b"", 1, 1)) == b"\x3a\x05\x00\x01a\x00\x01"
    assert encode_puback(V311, 258, 0x87) == b"\x40\x02\x01\x02"
    assert encode_puback(V5, 258, 0x10) == b"\x40\x03\x01\x02\x10"
    assert encode_subscribe(V311, 1, (("a/#", 1),)) == b"\x82\x08\x00\x01\x00\x03a/#\x01"
    assert encode_suback(V5, 1, (1, 0x87)) == b"\x90\x05\x00\x01\x00\x01\x87"
    assert encode_unsubscribe(V311, 2, ("a",)) == b"\xa2\x05\x00\x02\x00\x01a"
    assert encode_unsuback(V311, 2, (0,)) == b"\xb0\x02\x00\x02"
    assert encode_pingreq() + encode_pingresp() == b"\xc0\x00\xd0\x00"
    assert encode_disconnect(V5, 0x8E) == b"\xe0\x01\x8e"
    assert encode_disconnect(V311, 0x8E) == b"\xe0\x00"


def test_lengths_at_the_edges_of_their_bytes():
    for payload in (0, 121, 122, 123, 16377, 16378, 16379, 65000):
        data = encode_publish(V311, "abc", b"x" * payload)
        (packet,) = client(V311).feed(data)
        assert packet == Publish("abc", b"x" * payload, 0, False, False, 0, {})


def stream(version):
    """Everything a server can hear, and what it must make of it."""
    extra = {p.USER_PROPERTY: [("k", "v"), ("k", "w")], p.MESSAGE_EXPIRY: 60}
    extra = extra if version == V5 else {}
    will = Will("state", b"\xff", 1, True, {p.WILL_DELAY: 5} if version == V5 else {})
    hello = connect(version, will, {p.SESSION_EXPIRY: 4294967295} if version == V5 else None)
    publish = Publish("汉/字", b"\x00\xff", 1, True, False, 65535, extra)
    options = 1 if version == V311 else 0b101101
    packets = [
        (hello, encode_connect(hello)),
        (publish, encode_publish(version, "汉/字", b"\x00\xff", 1, 65535, True, properties=extra)),
        (Puback(7, 0, {}), encode_puback(version, 7)),
        (
            Subscribe(9, (("a/+/c", options), ("#", 0)), {}),
            encode_subscribe(version, 9, (("a/+/c", options), ("#", 0))),
        ),
        (Unsubscribe(9, ("a/+/c", "#"), {}), encode_unsubscribe(version, 9, ("a/+/c", "#"))),
        (Pingreq(), encode_pingreq()),
    ]
    if version == V5:
        why = {p.REASON_STRING: "no"}
        packets.append((Puback(8, 0x97, why), encode_puback(V5, 8, 0x97, why)))
        packets.append((Disconnect(4, why), encode_disconnect(V5, 4, why)))
    packets.append((Disconnect(0, {}), encode_disconnect(version)))
    return packets


def test_a_server_hears_the_same_for_any_split():
    for version in (V311, V5):
        expected = [packet for packet, data in stream(version)]
        whole = b"".join([data for packet, data in stream(version)])
        assert Decoder(1000).feed(whole) == expected
        for size in (1, 2, 3, 7, 50):
            decoder = Decoder(1000)
            got = []
            for at in range(0, len(whole), size):
                got += decoder.feed(whole[at : at + size])
            assert got == expected, (version, size)


def test_a_long_payload_is_kept_in_the_pieces_it_came_in():
    payload = bytes(range(256)) * 5
    for version in (V311, V5):
        extra = {} if version == V311 else {p.CONTENT_TYPE: "x" * 200}
        data = encode_publish(version, "a/topic", payload, 1, 9, properties=extra)
        for size in (1, 100, 256, 700):
            decoder = client(version)
            got = []
            for at in range(0, len(data), size):
                got += decoder.feed(data[at : at + size])
                assert len(decoder._rest) <= 300 and len(decoder._parts) <= 2 + len(data) // 128
            assert got == [Publish("a/topic", payload, 1, False, False, 9, extra)], (version, size)
            assert not decoder._parts and not decoder._rest
            assert decoder.feed(encode_pingresp()) == [Pingresp()]


def test_a_client_hears_its_server():
    for version in (V311, V5):
        five = version == V5
        decoder = Decoder(200, version)
        limits = {p.RECEIVE_MAXIMUM: 20, p.ASSIGNED_CLIENT_ID: "x"} if five else {}
        got = decoder.feed(
            encode_connack(version, True, 0, limits)
            + encode_suback(version, 3, (1, 0x80))
            + encode_unsuback(version, 4, (0x11,))
            + encode_publish(version, "t", b"", 1, 1, dup=True)
            + encode_pingresp()
        )
        assert got == [
            Connack(True, 0, limits),
            Suback(3, (1, 0x80), {}),
            Unsuback(4, (0x11,) if five else (), {}),
            Publish("t", b"", 1, False, True, 1, {}),
            Pingresp(),
        ]
    assert client(V5).feed(encode_disconnect(V5, 0x8B)) == [Disconnect(0x8B, {})]


def test_what_came_whole_before_the_fault_is_handed_over():
    error = refused(encode_puback(V311, 1) + encode_puback(V311, 2) + b"\xff")
    assert error.packets == [Puback(1, 0, {}), Puback(2, 0, {})]


def test_malformed_from_a_server():
    for data in (
        b"\x00\x00",  # no such packet
        b"\xf0\x00",  # AUTH was never begun
        b"\x36\x00",  # QoS 3
        b"\x38\x03\x00\x01a",  # DUP without QoS
        b"\x41\x02\x00\x01",  # flags where none belong
        b"\x10\x00",  # a server does not CONNECT
        b"\x82\x00",
        b"\x30\xff\xff\xff\xff",  # a length that does not end
        b"\x30\x05\x00\x09abc",  # a topic longer than its packet
        b"\x30\x01\x00",  # ends inside the length of its topic
        b"\x32\x03\x00\x01a",  # ends before its packet identifier
        b"\x32\x05\x00\x01a\x00\x00",  # packet identifier 0
        b"\x30\x02\x00\x00",  # no topic
        b"\x30\x03\x00\x01#",  # a wildcard in a topic
        b"\x30\x04\x00\x02\xc3\x28",  # not UTF-8
        b"\x30\x03\x00\x01\x00",  # NUL
        b"\x40\x01\x00",  # short PUBACK: refused without waiting for more
        b"\x40\x03",  # long PUBACK, by its length alone
        b"\x90\x02\x00\x01",  # a SUBACK that grants nothing
        b"\xd0\x01",
        b"\xe0\x00",  # a 3.1.1 server has no DISCONNECT
    ):
        refused(data)


def test_nothing_too_large_is_waited_for():
    decoder = client(V311)
    decoder.limit = 4096
    refused(b"\x30\xff\xff\xff\x7f", decoder, 0x95)
    decoder = client(V311)
    decoder.limit = 10
    assert decoder.feed(encode_publish(V311, "a", b"12345"))  # exactly ten bytes
    refused(encode_publish(V311, "a", b"123456")[:2], decoder, 0x95)


def test_the_first_packet_must_be_the_hello():
    refused(encode_puback(V311, 1), Decoder(100, V311))
    refused(encode_pingreq(), Decoder(100))
    refused(encode_connect(PLAIN), server(V311))
    refused(encode_connack(V311, False, 0))
    for bad in (
        b"\x20\x03\x00\x00\x00",
        b"\x20\x02\x02\x00",
        b"\x20\x02\x01\x01",
        b"\x20\x02\x00\x06",
    ):
        refused(bad, Decoder(100, V311))


def test_malformed_from_a_client():
    good = encode_connect(PLAIN)
    refused(good[:8] + b"\x03" + good[9:], Decoder(100), 0x84)  # MQTT 3.1's level
    refused(b"\x10\x0c\x00\x06MQIsdp\x03\x02\x00\x1e", Decoder(100), 0x84)
    for flags in (
        0x01,
        0x08,
        0x20,
        0x1C,
        0x40,
    ):  # reserved; will's bits without will; QoS 3; no user
        refused(good[:9] + bytes((flags,)) + good[10:], Decoder(100), 0x81)
    refused(bytes((0x10, good[1] + 1)) + good[2:] + b"x", Decoder(100), 0x81)
    for data in (
        b"\x82\x02\x00\x01",  # subscribes to nothing
        b"\x82\x06\x00\x01\x00\x01a\x03",  # QoS 3
        b"\x82\x05\x00\x01\x00\x01a",  # no options
        b"\x82\x07\x00\x01\x00\x02a#\x00",  # wildcard inside a level
        b"\x82\x08\x00\x01\x00\x03#/a\x00",
        b"\x82\x05\x00\x01\x00\x00\x00",  # empty filter
        b"\x82\x06\x00\x00\x00\x01a\x01",  # packet identifier 0
        b"\x80\x06\x00\x01\x00\x01a\x01",  # wrong flags
        b"\xa2\x02\x00\x01",
        b"\x50\x02\x00\x01",  # QoS 2's packets
        b"\x62\x02\x00\x01",
    ):
        refused(data, server(V311))


def test_properties_are_checked():
    def publish(properties):
        body = b"\x00\x01a" + bytes((len(properties),)) + properties
        return bytes((0x30, len(body))) + body

    assert client(V5).feed(publish(b"\x01\x01"))[0].properties == {p.PAYLOAD_FORMAT: 1}
    for properties in (
        b"\x01\x02",  # a flag of two
        b"\x01\x01\x01\x01",  # twice
        b"\x11\x00\x00\x00\x01",  # session expiry has no place here
        b"\x7e\x00",  # unknown
        b"\x02\x00\x00",  # cut
        b"\x26\x00\x01k",  # half a pair
        b"\x0b\x00",  # subscription identifier 0
    ):
        refused(publish(properties), client(V5))
    refused(publish(b"\x23\x00\x01"), client(V5), 0x94)  # an alias that was never offered
    refused(b"\x30\x05\x00\x01a\x09\x01", client(V5), 0x81)  # properties longer than the packet
