"""The only county socket: sends what the outbox holds, SOS first, and takes the county's commands.

How much is under way at once is uplink_window.py's; one connection is uplink_link.py's. A record is
given to `outbox.done` only on a PUBACK that says success. Each connection begins with the birth;
then SOSs, then the rest in the outbox's order.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from paho.mqtt.client import MQTTMessage

from edge_agent.event import Event
from edge_agent.outbox import Outbox
from edge_agent.outbox_store import SOS, Held
from edge_agent.uplink_config import UplinkConfig
from edge_agent.uplink_link import Link, LinkFault
from edge_agent.uplink_window import OVERHEAD, Ticket, Window, patience

log = logging.getLogger(__name__)

TICK_S = 0.25  # how often PUBACK timers are looked at
BULK_PATIENCE = 3  # times the SOS's; a link may freeze for some seconds and come back
REFUSED_S = 5.0  # before a refused SOS is offered again, doubling up to REFUSED_BULK_S
REFUSED_BULK_S = 60.0  # the same for other records
BACKOFF_S = 30.0  # longest wait between attempts, full jitter below it
HURRY_S = 2.0  # the same while an SOS waits
CALM_S = 10.0  # a connection this old was a good one
STATE_S = 60.0  # how often the checkpoint's state is told anew
NO_SUBSCRIBERS = 0x10  # MQTT 5: success, but nobody is listening

OnCommand = Callable[[str, bytes, bool], Awaitable[None]]  # topic, payload, retained
State = Callable[[bool, int], tuple[str, bytes]]  # online, session -> topic, payload of cp_state


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


@dataclass(frozen=True, slots=True)
class UplinkStatus:
    """For the page, `status` and the metrics. Times in Unix s, bytes/s, s."""

    connected: bool
    name: str  # of the [[uplink]] in use or tried last
    since: float  # when that began
    fault: str | None  # why not connected
    window: int
    flying: int
    rate: float
    rtt: float
    sos_delay: float | None  # what an SOS raised now would take; None while disconnected
    refused: int
    reconnects: int


class Uplink:
    """`run()` for ever. Needs the outbox open; `on_command` gets each message of the county and is
    awaited before it is acknowledged there; `state` makes birth and will; `outgoing` may give a
    record another payload as it leaves (the clock does, for what was taken in without one).
    """

    def __init__(
        self,
        configs: Sequence[UplinkConfig],
        outbox: Outbox,
        on_command: OnCommand,
        *,
        client_id: str,
        state: State,
        outgoing: Callable[[Event], Event] = lambda event: event,
    ) -> None:
        self._configs = tuple(configs)
        self._outbox = outbox
        self._on_command = on_command
        self._client_id, self._outgoing = client_id, outgoing
        self._state = state
        self._link: Link | None = None
        self._window = Window()
        self._flying: dict[int, Flight] = {}
        self._refused: list[tuple[float, Held]] = []
        self._refusals_of: Counter[int] = Counter()  # by record
        self._wanted: set[str] = set()
        self._inbox: asyncio.Queue[tuple[Link, MQTTMessage]] = asyncio.Queue()
        self._answers: list[Callable[[Answer], None]] = []
        self._changes: list[Callable[[bool], None]] = []
        self._failures = 0  # SOS timers that ran out in a row
        self._attempts = 0  # connections that failed in a row
        self._session = 0
        self._plain: set[str] = set()  # urls whose broker speaks 3.1.1 only
        self._name = self._configs[0].name if self._configs else ""
        self._since = time.time()
        self._fault: str | None = "not tried yet"
        self._refusals = 0
        self._pumping = False
        outbox.on_ready(self._pump)

    # -- what other rooms use ------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        return self._link is not None

    def on_answer(self, callback: Callable[[Answer], None]) -> None:
        """Call back with each PUBACK of the county's broker."""
        self._answers.append(callback)

    def on_change(self, callback: Callable[[bool], None]) -> None:
        """Call back with True when the county is reached, with False when it is lost."""
        self._changes.append(callback)

    def listen(self, filters: Iterable[str]) -> None:
        """Subscribe at the county to exactly these topic filters from now on."""
        new = set(filters)
        if self._link is not None:
            self._link.subscribe(sorted(new - self._wanted))
            self._link.unsubscribe(sorted(self._wanted - new))
            self._link.flush()
        self._wanted = new

    def status(self) -> UplinkStatus:
        window = self._window
        return UplinkStatus(
            connected=self.connected,
            name=self._name,
            since=self._since,
            fault=self._fault,
            window=window.limit,
            flying=window.flying,
            rate=window.rate,
            rtt=window.rtt,
            sos_delay=window.delay() if self.connected else None,
            refused=self._refusals,
            reconnects=self._session,
        )

    # -- connections ---------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep one connection to the county, by the first way that works."""
        if not self._configs:
            self._fault = "no [[uplink]] in agent.toml: nothing leaves this checkpoint"
            await asyncio.Event().wait()
        commands = asyncio.create_task(self._commands())
        way = 0
        try:
            while True:
                config = self._configs[way]
                began = time.monotonic()
                why, again = await self._connection(config, way)
                self._down(why)
                calm = time.monotonic() - began > CALM_S
                way = 0 if again or calm else (way + 1) % len(self._configs)
                self._attempts = 0 if again or calm else self._attempts + 1
                await self._rest()
        finally:
            commands.cancel()
            if self._link is not None:
                link = self._link
                self._down("stopped")
                await link.leave()

    async def _connection(self, config: UplinkConfig, way: int) -> tuple[str, bool]:
        """One connection from its first byte to its end: why it ended, whether to begin anew."""
        self._name = config.name
        five = config.mqtt == "5" or (config.mqtt == "auto" and config.url not in self._plain)
        link = Link(config, self._client_id, five, self._puback, self._message, self._pump)
        self._session += 1
        try:
            await link.open(self._state(False, self._session))
        except LinkFault as fault:
            if five and config.mqtt == "auto":  # a 3.1.1 broker refuses or just closes
                self._plain.add(config.url)
            else:
                self._plain.discard(config.url)
            return str(fault), False
        try:
            return await self._serve(link, config, way)
        finally:
            if self._link is not link:
                link.close()

    async def _serve(self, link: Link, config: UplinkConfig, way: int) -> tuple[str, bool]:
        self._window = Window(link.receive_maximum)
        self._link = link
        self._fault = None
        self._since = time.time()
        log.info("county reached by %s (%s)", config.name, config.url)
        link.subscribe(sorted(self._wanted))
        self._tell_state(link)
        for callback in self._changes:
            callback(True)
        self._pump()
        until = time.monotonic() + config.return_s if way else float("inf")
        told = time.monotonic()
        while not link.lost.done():
            await asyncio.wait([link.lost], timeout=TICK_S)
            now = time.monotonic()
            if self._overdue(now):
                self._failures += 1
                return f"{config.url}: no PUBACK in time", False
            if now > until and not self._flying:
                return f"{config.url}: trying {self._configs[0].name} again", True
            if now - told > STATE_S:
                told = now
                self._tell_state(link)
            self._offer_refused(now)
        return f"{config.url}: {link.lost.result()}", False

    def _tell_state(self, link: Link) -> None:
        topic, payload = self._state(True, self._session)
        link.publish(topic, payload, 1, True)
        link.flush()

    def _down(self, why: str) -> None:
        """Put what was under way back into the outbox, in its order, SOS first."""
        link, self._link = self._link, None
        self._fault = why
        if link is None:
            log.info("county not reached: %s", why)
            return
        self._since = time.time()
        log.warning("county lost: %s", why)
        link.close()
        back = [flight.held for flight in self._flying.values()]
        back += [held for _, held in self._refused]
        self._flying.clear()
        self._refused.clear()
        self._outbox.give_back(back)
        for callback in self._changes:
            callback(False)

    async def _rest(self) -> None:
        """Wait before the next attempt: full jitter, short while an SOS waits."""
        most = min(BACKOFF_S, 0.5 * 2 ** min(self._attempts, 10))
        until = time.monotonic() + random.uniform(0.1, most)
        while (left := until - time.monotonic()) > 0:
            if self._outbox.sos_waits():
                left = min(left, random.uniform(0.1, HURRY_S))
                until = time.monotonic() + left
            await asyncio.sleep(min(left, TICK_S))

    def _overdue(self, now: float) -> bool:
        """Whether a PUBACK is so late that the connection must be dead."""
        limit = patience(self._window, self._failures)
        for held, ticket in self._flying.values():
            if now - ticket.at > limit * (1 if held.lane == SOS else BULK_PATIENCE):
                return True
        return False

    # -- records -------------------------------------------------------------------------------

    def _pump(self) -> None:
        """Send while the window has room; an SOS needs none."""
        link = self._link
        if link is None or self._pumping or link.lost.done():
            return
        self._pumping = True
        try:
            while self._window.sos_room():
                room = self._window.room()
                held = self._outbox.next(sos_only=not room)
                if held is None:
                    if not room:
                        self._window.filled()
                    break
                self._send(link, held)
        finally:
            self._pumping = False
        link.flush()

    def _send(self, link: Link, held: Held) -> None:
        event = self._outgoing(held.event)
        size = len(event.topic) + len(event.payload) + OVERHEAD
        ticket = self._window.sent(size, time.monotonic())
        mid = link.publish(event.topic, event.payload, 1, event.retain)
        self._flying[mid] = Flight(held, ticket)

    def _puback(self, mid: int, reason: int) -> None:
        flight = self._flying.pop(mid, None)
        if flight is None:  # the state's own
            return
        self._window.acked(flight.ticket, time.monotonic())
        held = flight.held
        answer = Answer(held.event, reason)
        if answer.heard:
            if held.lane == SOS:
                self._failures = 0
                self._refusals_of.pop(held.id, None)
            self._outbox.done(held)
        else:
            self._refusals += 1
            log.error("the county's broker answers 0x%02x to %s", reason, held.event.topic)
            wait = REFUSED_BULK_S
            if held.lane == SOS:
                wait = min(wait, REFUSED_S * 2 ** self._refusals_of[held.id])
                self._refusals_of[held.id] += 1
            self._refused.append((time.monotonic() + wait, held))
        for callback in self._answers:
            callback(answer)

    def _offer_refused(self, now: float) -> None:
        due = [held for at, held in self._refused if at <= now]
        if due:
            self._refused = [(at, held) for at, held in self._refused if at > now]
            self._outbox.give_back(due)

    # -- commands ------------------------------------------------------------------------------

    def _message(self, link: Link, message: MQTTMessage) -> None:
        self._inbox.put_nowait((link, message))

    async def _commands(self) -> None:
        """One after the other, each acknowledged to the county when it is dealt with."""
        while True:
            link, message = await self._inbox.get()
            try:
                await self._on_command(message.topic, bytes(message.payload), message.retain)
            except OSError as error:  # not durable here: the county's broker will offer it again
                log.error("%s: not taken: %s", message.topic, error)
                continue
            link.acknowledge(message)
