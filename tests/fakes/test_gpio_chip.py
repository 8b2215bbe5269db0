"""The fake chip beside what gpiod documents."""

from __future__ import annotations

import select
import time
from datetime import timedelta

import gpiod
import pytest
from gpiod.line import Bias, Direction, Edge, Value

from tests.fakes.gpio_chip import FakeChip


def contact(**more: object) -> gpiod.LineSettings:
    return gpiod.LineSettings(
        direction=Direction.INPUT, edge_detection=Edge.BOTH, bias=Bias.PULL_UP, **more
    )


def test_methods_are_gpiods() -> None:
    request = FakeChip().request_lines({1: contact()}, consumer="t")
    for name in ("fd", "get_value", "set_value", "wait_edge_events", "read_edge_events", "release"):
        assert hasattr(gpiod.LineRequest, name) and hasattr(request, name)


def test_active_low_and_edges() -> None:
    chip = FakeChip()
    request = chip.request_lines({1: contact(active_low=True)}, consumer="t")
    assert request.get_value(1) is Value.INACTIVE
    chip.set(1, 0)
    assert select.select([request.fd], [], [], 0)[0]
    (event,) = request.read_edge_events()
    assert event.event_type is gpiod.EdgeEvent.Type.RISING_EDGE
    assert not select.select([request.fd], [], [], 0)[0]


def test_debounce_swallows_what_is_not_stable() -> None:
    chip = FakeChip()
    quick = contact(debounce_period=timedelta(milliseconds=20))
    request = chip.request_lines({1: quick}, consumer="t")
    chip.bounce(1, [0, 1, 0, 1], 0.001)
    assert not select.select([request.fd], [], [], 0.1)[0]
    chip.bounce(1, [0, 1, 0], 0.001)
    began = time.monotonic()
    assert select.select([request.fd], [], [], 1)[0]
    assert time.monotonic() - began < 0.5
    assert len(request.read_edge_events()) == 1


def test_a_full_buffer_loses_events_but_not_their_numbers() -> None:
    chip = FakeChip()
    request = chip.request_lines({1: contact()}, consumer="t", event_buffer_size=4)
    chip.bounce(1, [0, 1] * 5, 0)
    assert [e.line_seqno for e in request.read_edge_events()] == [1, 2, 3, 4]
    chip.set(1, 0)
    assert [e.line_seqno for e in request.read_edge_events()] == [11]


def test_an_output_starts_at_its_value_and_is_exclusive() -> None:
    chip = FakeChip()
    off = gpiod.LineSettings(direction=Direction.OUTPUT, active_low=True)
    request = chip.request_lines({2: off}, consumer="t")
    assert chip.history == [(2, 1)]
    request.set_value(2, Value.ACTIVE)
    assert chip.driven[2] == 0
    with pytest.raises(OSError, match="busy"):
        chip.request_lines({2: off}, consumer="t")
    request.release()
    chip.request_lines({2: off}, consumer="t").release()
