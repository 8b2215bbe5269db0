"""Whatever a peer sends: packets or ProtocolError, nothing else, never a matter of the split."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from patrol_contract.mqtt_packets import (
    V5,
    V311,
    Connect,
    Decoder,
    ProtocolError,
    encode_connack,
    encode_connect,
    encode_publish,
    encode_subscribe,
)

HELLOS = {
    None: encode_connect(Connect("u-1", V5, True, 9, None, None, None, {})),
    V311: encode_connack(V311, False, 0),
    V5: encode_connack(V5, False, 0),
}
PACKETS = st.sampled_from(
    [
        encode_publish(V5, "a/b", b"hello", 1, 9, properties={0x26: [("k", "v")], 0x02: 9}),
        encode_publish(V311, "a/b", b"x" * 200, 1, 9),
        encode_subscribe(V5, 3, (("a/+", 1), ("#", 0))),
    ]
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    data = bytearray(b"".join(draw(st.lists(PACKETS, min_size=1, max_size=3))))
    for _ in range(draw(st.integers(0, 3))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(1, len(data)))])


def hear(side: int | None, chunks: list[bytes]) -> tuple[list[object], int | None]:
    decoder = Decoder(1000, side)
    packets: list[object] = []
    try:
        for chunk in [HELLOS[side], *chunks]:
            packets += decoder.feed(chunk)
    except ProtocolError as error:
        return packets + error.packets, error.reason_code
    return packets, None


@settings(max_examples=400, deadline=None)
@given(
    side=st.sampled_from([None, V311, V5]),
    data=st.one_of(st.binary(min_size=1, max_size=60), mutated()),
    size=st.integers(1, 40),
)
def test_any_bytes(side: int | None, data: bytes, size: int) -> None:
    split = [data[at : at + size] for at in range(0, len(data), size)]
    assert hear(side, split) == hear(side, [data])
