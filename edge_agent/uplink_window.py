"""How many bytes may be under way to the county: about what the line itself holds. Pure.

More only waits in somebody's buffer, and an SOS then waits behind it (1,000 messages in flight on
64 kbit/s: 40 s). What waits shows in the round trip, so the window is steered by that: once a round
trip it is multiplied by (empty + target) / (empty + queued), where `empty` is the shortest round
trip of the last minute, `queued` what the shortest of this round took longer, and `target` the
little queue that keeps the line busy (FAST TCP, Jin, Wei, Low 2004). It begins with doubling. Now
and then half a window for one round shows the empty line again, as BBR does.

Only the shortest of two rounds counts: a late wake-up here or there is no queue. A round in which
the window was not filled says nothing of the line and changes nothing.

Sizes in bytes with what TCP/IP adds, times in seconds of one monotonic clock.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

OVERHEAD = 44  # bytes a PUBLISH costs beside topic and payload: TCP/IP 40, MQTT 4
FLOOR = 1024.0  # two or three records
CEILING = float(1 << 20)
TARGET_S = 0.015  # of queue, or half a record on the line where that is more
GROWTH, SHRINK = 1.25, 0.5  # at most, from round to round, once the line is known
ROUNDS = 10  # round trips over which the rate is the largest seen
RTT_KEPT_S = 30.0
SOS_RESERVE = 4  # of the broker's Receive Maximum, kept free for SOS


class Ticket(NamedTuple):
    """One record under way, as needed for the measurement when its PUBACK comes."""

    size: int
    at: float
    delivered: int
    delivered_at: float
    probe: bool


class Window:
    """One connection's measurement and its bound."""

    def __init__(self, receive_maximum: int = 65535) -> None:
        self.receive_maximum = receive_maximum
        self.flying = 0  # bytes
        self.count = 0  # records
        self.rate = 0.0  # bytes/s, 0 before the first PUBACK
        self.rtt = 0.0  # s, the empty line's
        self._size = FLOOR
        self._last = 0  # bytes of the newest record, taken for the next one's size
        self._rates: deque[tuple[int, float]] = deque()
        self._rtt_at = 0.0
        self._delivered = 0
        self._delivered_at = 0.0
        self._starting = True
        self._round, self._round_end = 0, 0
        self._round_rtt = self._before_rtt = self._newest_rtt = float("inf")
        self._filled = False
        self._probing: int | None = None  # bytes delivered at which the probe has been seen
        self._probe_rtt = float("inf")

    @property
    def limit(self) -> int:
        """Bytes that may be under way."""
        return int(max(FLOOR, self._size / 2) if self._probing is not None else self._size)

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

    def filled(self) -> None:
        """There was more to send than room."""
        self._filled = True

    def sent(self, size: int, now: float) -> Ticket:
        """A record of `size` bytes was written."""
        if not self.flying:
            self._delivered_at = now
        self.flying += size
        self.count += 1
        self._last = size
        return Ticket(size, now, self._delivered, self._delivered_at, self._probing is not None)

    def acked(self, ticket: Ticket, now: float) -> None:
        """Its PUBACK came."""
        self.flying -= ticket.size
        self.count -= 1
        self._delivered += ticket.size
        self._delivered_at = now
        self._see_rtt(ticket, now)
        if now > ticket.delivered_at:
            self._see_rate((self._delivered - ticket.delivered) / (now - ticket.delivered_at))
        if ticket.delivered >= self._round_end:
            self._end_of_round()

    def _see_rate(self, rate: float) -> None:
        while self._rates and self._rates[-1][1] <= rate:
            self._rates.pop()
        self._rates.append((self._round, rate))
        while self._rates[0][0] <= self._round - ROUNDS:
            self._rates.popleft()
        self.rate = self._rates[0][1]

    def _see_rtt(self, ticket: Ticket, now: float) -> None:
        took = now - ticket.at
        self._round_rtt, self._newest_rtt = min(self._round_rtt, took), took
        if not self.rtt or took <= self.rtt:
            self.rtt, self._rtt_at = took, now
        elif self._probing is None and now - self._rtt_at > RTT_KEPT_S:
            self._probing, self._probe_rtt = self._delivered + self.flying, float("inf")
        if ticket.probe:
            self._probe_rtt = min(self._probe_rtt, took)
        if self._probing is not None and ticket.delivered >= self._probing:
            self.rtt, self._rtt_at = min(self._probe_rtt, took), now
            self._probing = None

    def _end_of_round(self) -> None:
        """Steer the window by what this round saw."""
        if self._filled and self._probing is None:
            queued = max(0.0, min(self._round_rtt, self._before_rtt) - self.rtt)
            target = max(TARGET_S, 0.5 * self._last / self.rate) if self.rate else TARGET_S
            factor = (self.rtt + target) / (self.rtt + queued)
            if self._starting:
                self._starting = self._newest_rtt - self.rtt < 2 * target
                ahead = (self.rtt + target) / self._newest_rtt
                factor = 2.0 if self._starting else max(0.5, ahead)  # the doubling too many
            else:
                factor = max(SHRINK, min(GROWTH, factor))
            self._size = max(FLOOR, min(CEILING, self._size * factor))
        self._round += 1
        self._round_end = self._delivered + self.flying
        self._before_rtt, self._round_rtt = self._round_rtt, float("inf")
        self._filled = False


def patience(window: Window, failures: int) -> float:
    """Seconds an SOS may wait for its PUBACK before the connection is given up.

    A few round trips of the line as it is now, doubling with each failure so that a line that
    only became slow is not torn down for ever.
    """
    expected = window.delay() if window.rate else 1.0
    return min(30.0, min(8.0, max(2.0, 4 * expected)) * 2**failures)
