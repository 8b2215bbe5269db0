from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.buses.serial import Framer

END = st.sampled_from([b"\n", b"\r\n", b"\x03"])
LINE = st.binary(max_size=30)


def fed(framer: Framer, pieces: list[bytes]) -> list[bytes]:
    return [line for piece in pieces for line in framer.feed(piece)]


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    at = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in pairwise(at)]


@given(END, st.lists(LINE, max_size=8), st.lists(st.integers(0, 10_000), max_size=20))
def test_any_split_gives_the_same_lines(end: bytes, lines: list[bytes], cuts: list[int]) -> None:
    data = b"".join(line + end for line in lines)
    whole, pieces = Framer(end, 16), Framer(end, 16)
    assert fed(whole, [data]) == fed(pieces, split(data, cuts))
    assert whole.dropped == pieces.dropped


def test_a_line_too_long_is_dropped_counted_and_forgotten() -> None:
    framer = Framer(b"\n", 16)
    assert fed(framer, [b"x" * 10] * 1000) == []
    assert fed(framer, [b"tail\nnext\r\n"]) == [b"next"]
    assert framer.dropped == 1
