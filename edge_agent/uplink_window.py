"""How many bytes may be under way to the county: about what the line itself holds. Pure.

More only waits in somebody's buffer, and an SOS then waits behind it (1,000 messages in flight on
64 kbit/s: 40 s). The line holds bandwidth x round trip. Both are measured from PUBACKs: the rate
as the largest delivery rate of the last ROUNDS round trips (draft-cheng-iccrg-delivery-rate-
estimation), the round trip as the smallest of the last RTT_KEPT_S (as BBR does, with its start at
twice the measured product and its occasional half window to see the empty line again).

Sizes in bytes with what TCP/IP adds, times in seconds of one monotonic clock.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

OVERHEAD = 44  # bytes a PUBLISH costs beside topic and payload: TCP/IP 40, MQTT 4
FLOOR = 1024  # never less, and the beginning: few enough to see the empty line's round trip
SLACK_S = 0.01  # of line time on top, so that a short pause here does not idle the line; at the
# least one record, else a line of few records would never be tried with one more
ROUNDS = 10
RTT_KEPT_S = 30.0
GROWTH = 1.25  # the start ends when two rounds did not bring so much more,
QUEUED = 1.5  # or when a round trip takes so many times the shortest: the line is full
SOS_RESERVE = 4  # of the broker's Receive Maximum, kept free for SOS


class Ticket(NamedTuple):
    """One record under way, as needed for the measurement when its PUBACK comes."""

    size: int
    at: float
    delivered: int
    delivered_at: float
    sent_before: float  # when the record was sent whose PUBACK came last
    limited: bool  # there was nothing more to send: the rate seen is ours, not the line's
    probe: bool


class Window:
    """One connection's measurement and its bound."""

    def __init__(self, receive_maximum: int = 65535) -> None:
        self.receive_maximum = receive_maximum
        self.flying = 0  # bytes
        self.count = 0  # records
        self.rate = 0.0  # bytes/s, 0 before the first PUBACK
        self.rtt = 0.0  # s, the empty line's
        self._last = 0  # bytes of the newest record, taken for the next one's size
        self._rates: deque[tuple[int, float]] = deque()
        self._rtt_at = 0.0
        self._delivered = 0
        self._delivered_at = 0.0
        self._sent_before = 0.0
        self._limited = True
        self._round = 0
        self._round_end = 0
        self._starting = True
        self._best, self._flat = 0.0, 0
        self._probe_end: int | None = None
        self._probe_rtt: float | None = None

    @property
    def limit(self) -> int:
        """Bytes that may be under way."""
        if not self.rate:
            return FLOOR
        gain = 2.0 if self._starting else 0.5 if self._probe_end is not None else 1.0
        return max(FLOOR, int(self.rate * gain * self.rtt + max(self.rate * SLACK_S, self._last)))

    def room(self) -> bool:
        """Whether another record but an SOS may leave."""
        bulk = max(1, self.receive_maximum - SOS_RESERVE)
        return self.flying + self._last <= self.limit and self.count < bulk

    def sos_room(self) -> bool:
        """An SOS waits for nothing but the broker's Receive Maximum."""
        return self.count < self.receive_maximum

    def delay(self) -> float:
        """What an SOS raised now would take to its PUBACK: bytes ahead / rate + round trip."""
        return (self.flying / self.rate if self.rate else 0.0) + self.rtt

    def idle(self) -> None:
        """There was room and nothing to send."""
        self._limited = True

    def sent(self, size: int, now: float) -> Ticket:
        """A record of `size` bytes was written."""
        if not self.flying:
            self._delivered_at = self._sent_before = now
        self.flying += size
        self._last = size
        self.count += 1
        return Ticket(
            size,
            now,
            self._delivered,
            self._delivered_at,
            self._sent_before,
            self._limited,
            self._probe_end is not None,
        )

    def busy(self) -> None:
        """There was more to send than room."""
        self._limited = False

    def acked(self, ticket: Ticket, now: float) -> None:
        """Its PUBACK came."""
        self.flying -= ticket.size
        self.count -= 1
        self._delivered += ticket.size
        self._delivered_at, self._sent_before = now, ticket.at
        self._see_rtt(ticket, now)
        if ticket.delivered >= self._round_end:
            self._round += 1
            self._round_end = self._delivered
            self._end_of_round()
        # PUBACKs that come in a bunch would look like a faster line: not faster than it was sent
        took = max(now - ticket.delivered_at, ticket.at - ticket.sent_before)
        if took > 0:
            self._see_rate((self._delivered - ticket.delivered) / took, ticket.limited)

    def _see_rate(self, rate: float, limited: bool) -> None:
        if limited and rate < self.rate:
            return
        while self._rates and self._rates[-1][1] <= rate:
            self._rates.pop()
        self._rates.append((self._round, rate))
        while self._rates[0][0] <= self._round - ROUNDS:
            self._rates.popleft()
        self.rate = self._rates[0][1]

    def _end_of_round(self) -> None:
        if not self._starting or self._limited:
            return
        if self.rate > self._best * GROWTH:
            self._best, self._flat = self.rate, 0
        else:
            self._flat += 1
            self._starting = self._flat < 2

    def _see_rtt(self, ticket: Ticket, now: float) -> None:
        took = now - ticket.at
        if not self.rtt or took <= self.rtt:
            self.rtt, self._rtt_at = took, now
        elif self._starting and took > QUEUED * self.rtt and not self._limited:
            self._starting = False
        elif self._probe_end is None and now - self._rtt_at > RTT_KEPT_S:
            self._probe_end, self._probe_rtt = self._delivered + self.flying, None
        if ticket.probe:
            self._probe_rtt = min(self._probe_rtt or took, took)
        if self._probe_end is not None and ticket.delivered >= self._probe_end:
            self.rtt, self._rtt_at = self._probe_rtt or took, now
            self._probe_end = None


def patience(window: Window, failures: int) -> float:
    """Seconds an SOS may wait for its PUBACK before the connection is given up.

    A few round trips of the line as it is now, doubling with each failure so that a line that
    only became slow is not torn down for ever.
    """
    expected = window.delay() if window.rate else 1.0
    return min(30.0, min(8.0, max(2.0, 4 * expected)) * 2**failures)
