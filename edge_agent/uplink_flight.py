"""What is under way to the county on one connection after another: sent while the window has room,
deleted from the outbox on a PUBACK that says success, put back in its order when a line is lost.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from edge_agent.event import Event
from edge_agent.outbox import Outbox
from edge_agent.outbox_record import SOS, Held
from edge_agent.uplink_link import Link
from edge_agent.uplink_window import OVERHEAD, Ticket, Window, patience

log = logging.getLogger(__name__)

BULK_PATIENCE = 3  # times the SOS's; a link may freeze for some seconds and come back
REFUSED_S = 5.0  # before a refused SOS is offered again, doubling up to REFUSED_BULK_S
REFUSED_BULK_S = 60.0  # the same for other records
NO_SUBSCRIBERS = 0x10  # MQTT 5: success, but nobody is listening


class Flight(NamedTuple):
    """A record under way."""

    held: Held
    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Answer:
    """What the county's broker said to a record; `reason` is the PUBACK's, 0 for success."""

    event: Event
    reason: int

    @property
    def heard(self) -> bool:
        """False for a refusal, and for an SOS that nobody at the county listens to."""
        unheard_sos = self.reason == NO_SUBSCRIBERS and self.event.sos is not None
        return self.reason < 0x80 and not unheard_sos


class Flights:
    """`begin` with a connection, `pump` whenever there may be room, `end` when it is lost.

    outgoing(event): what the county gets of it (the clock gives records their time).
    """

    def __init__(self, outbox: Outbox, outgoing: Callable[[Event], Event]) -> None:
        self.window = Window()
        self.refusals = 0
        self.failures = 0  # PUBACK timers that ran out since an SOS got through
        self._outbox, self._outgoing = outbox, outgoing
        self._link: Link | None = None
        self._flying: dict[int, Flight] = {}  # by packet id
        self._refused: list[tuple[float, Held]] = []
        self._refusals_of: Counter[int] = Counter()  # by record
        self._answers: list[Callable[[Answer], None]] = []
        self._pumping = False
        outbox.on_ready(self.pump)

    def on_answer(self, callback: Callable[[Answer], None]) -> None:
        self._answers.append(callback)

    def __len__(self) -> int:
        return len(self._flying)

    # -- a connection's life -------------------------------------------------------------------

    def begin(self, link: Link) -> None:
        self.window = Window(link.receive_maximum)
        self._link = link

    def end(self) -> None:
        """Put what was under way back into the outbox, in its order, SOS first."""
        self._link = None
        back = [flight.held for flight in self._flying.values()]
        back += [held for _, held in self._refused]
        self._flying.clear()
        self._refused.clear()
        self._outbox.give_back(back)

    def overdue(self, now: float) -> bool:
        """Whether a PUBACK is so late that the connection must be dead; counted in `failures`."""
        limit = patience(self.window, self.failures)
        for held, ticket in self._flying.values():
            if now - ticket.at > limit * (1 if held.lane == SOS else BULK_PATIENCE):
                self.failures += 1
                return True
        return False

    # -- records -------------------------------------------------------------------------------

    def pump(self) -> None:
        """Send while the window has room; an SOS needs none."""
        link = self._link
        if link is None or self._pumping or link.lost.done():
            return
        self._pumping = True
        try:
            while self.window.sos_room():
                room = self.window.room()
                held = self._outbox.next(sos_only=not room)
                if held is None:
                    if not room:
                        self.window.filled()
                    break
                self.send(link, held)
        finally:
            self._pumping = False
        link.flush()

    def send(self, link: Link, held: Held) -> None:
        """One record onto the wire."""
        event = self._outgoing(held.event)
        size = len(event.topic) + len(event.payload) + OVERHEAD
        ticket = self.window.sent(size, time.monotonic())
        mid = link.publish(event.topic, event.payload, 1, event.retain)
        self._flying[mid] = Flight(held, ticket)

    def puback(self, mid: int, reason: int) -> None:
        """The county's broker answered."""
        flight = self._flying.pop(mid, None)
        if flight is None:  # the state's own
            return
        self.window.acked(flight.ticket, time.monotonic())
        held = flight.held
        answer = Answer(held.event, reason)
        if answer.heard:
            if held.lane == SOS:
                self.failures = 0
                self._refusals_of.pop(held.id, None)
            self._outbox.done(held)
        else:
            self._refuse(held, reason)
        for callback in self._answers:
            callback(answer)

    def _refuse(self, held: Held, reason: int) -> None:
        self.refusals += 1
        log.error("the county's broker answers 0x%02x to %s", reason, held.event.topic)
        wait = REFUSED_BULK_S
        if held.lane == SOS:
            wait = min(wait, REFUSED_S * 2 ** self._refusals_of[held.id])
            self._refusals_of[held.id] += 1
        self._refused.append((time.monotonic() + wait, held))

    def offer_refused(self, now: float) -> None:
        """Those whose wait is over go back to the head of their lanes."""
        due = [held for at, held in self._refused if at <= now]
        if due:
            self._refused = [(at, held) for at, held in self._refused if at > now]
            self._outbox.give_back(due)
