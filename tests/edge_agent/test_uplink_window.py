"""The window against a simulated line: a queue with a rate behind a delay."""

from __future__ import annotations

import heapq

import pytest

from edge_agent.uplink_window import FLOOR, OVERHEAD, SOS_RESERVE, Ticket, Window, patience

RECORD = 330 + OVERHEAD  # bytes on the line


class Line:
    """Records go through one after the other at `rate` bytes/s, PUBACKs come `rtt` later."""

    def __init__(self, window: Window, rate: float, rtt: float, late: float = 0.0) -> None:
        self.window, self.rate, self.rtt, self.late = window, rate, rtt, late
        self.now, self.free_at, self.carried = 0.0, 0.0, 0
        self.acks: list[tuple[float, int, Ticket]] = []
        self.n = 0

    def send(self) -> float:
        """One record; returns when its PUBACK comes."""
        self.n += 1
        self.free_at = max(self.now, self.free_at) + RECORD / self.rate
        # every third wake-up is late, as on a busy machine
        at = self.free_at + self.rtt + (self.late if self.n % 3 == 0 else 0.0)
        heapq.heappush(self.acks, (at, self.n, self.window.sent(RECORD, self.now)))
        return at

    def run(self, seconds: float) -> float:
        """Always more to send; returns the share of the line used."""
        began, carried = self.now, self.carried
        while self.now < began + seconds:
            while self.window.room():
                self.send()
            self.window.filled()
            self.now, _, ticket = heapq.heappop(self.acks)
            self.window.acked(ticket, self.now)
            self.carried += RECORD
        return (self.carried - carried) / (self.now - began) / self.rate


@pytest.mark.parametrize("late", [0.0, 0.01])
@pytest.mark.parametrize(
    ("rate", "rtt"), [(8e3, 0.3), (8e3, 0.05), (125e3, 0.1), (1.25e6, 0.06), (4e6, 0.0003)]
)
def test_fills_the_line_and_leaves_it_nearly_empty(rate: float, rtt: float, late: float) -> None:
    line = Line(Window(), rate, rtt, late)
    line.run(20)
    assert line.run(20) > 0.85
    queued = max(0.0, line.free_at - line.now)  # what an SOS would stand behind
    assert queued < 0.05 + 2 * RECORD / rate


def test_an_sos_finds_the_slow_line_of_the_issue_nearly_empty() -> None:
    """64 kbit/s, 300 ms, at any moment of a long drain: half of the SOSs within 430 ms."""
    line = Line(Window(), 8e3, 0.3)
    line.run(5)
    took: list[float] = []
    for _ in range(100):
        line.run(1.3)
        took.append(line.send() - line.now)
    assert sorted(took)[50] < 0.43
    assert max(took) < 0.6


def test_follows_a_line_that_becomes_slower_and_faster() -> None:
    line = Line(Window(), 125e3, 0.1)
    line.run(10)
    line.rate = 12.5e3
    line.run(10)
    assert max(0.0, line.free_at - line.now) < 0.3
    line.rate = 125e3
    line.run(30)
    assert line.run(10) > 0.85


def test_learns_a_longer_round_trip() -> None:
    """The road changed: after half a minute the old shortest round trip no longer counts."""
    line = Line(Window(), 125e3, 0.02)
    line.run(10)
    line.rtt = 0.3
    line.run(60)
    assert line.run(20) > 0.85


def test_too_little_to_send_teaches_nothing() -> None:
    window = Window()
    now = 0.0
    for _ in range(200):  # one at a time: the line is never tried
        ticket = window.sent(RECORD, now)
        now += 0.1
        window.acked(ticket, now)
    assert window.limit == FLOOR


def test_receive_maximum_keeps_places_for_sos() -> None:
    window = Window(receive_maximum=20)
    line = Line(window, 1e9, 0.5)
    line.run(20)
    while window.room():
        line.send()
    assert window.count == 20 - SOS_RESERVE
    while window.sos_room():
        line.send()
    assert window.count == 20


def test_patience_is_some_round_trips_and_doubles() -> None:
    window = Window()
    assert patience(window, 0) == 4.0
    line = Line(window, 8e3, 0.3)
    line.run(10)
    assert 2.0 <= patience(window, 0) < 4.0
    assert patience(window, 1) == 2 * patience(window, 0)
    assert patience(window, 9) == 30.0
