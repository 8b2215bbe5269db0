"""The only county socket: connections, one at a time, by the first way that works; the county's
commands come in here.

Each connection begins with the birth; then SOSs, then the rest in the outbox's order. What is under
way is uplink_flight.py's, how much at once uplink_window.py's, one connection uplink_link.py's.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from paho.mqtt.client import MQTTMessage

from edge_agent.event import Event
from edge_agent.outbox import Outbox
from edge_agent.uplink_config import UplinkConfig
from edge_agent.uplink_flight import Answer, Flights
from edge_agent.uplink_link import Link, LinkFault

log = logging.getLogger(__name__)

TICK_S = 0.25  # how often PUBACK timers are looked at
BACKOFF_S = 30.0  # longest wait between attempts, full jitter below it
HURRY_S = 2.0  # the same while an SOS waits
CALM_S = 10.0  # a connection this old was a good one
STATE_S = 60.0  # how often the checkpoint's state is told anew

OnCommand = Callable[[str, bytes, bool], Awaitable[None]]  # topic, payload, retained
State = Callable[[bool, int], tuple[str, bytes]]  # online, session -> topic, payload of cp_state


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
        self._client_id = client_id
        self._state = state
        self._link: Link | None = None
        self.flights = Flights(outbox, outgoing)
        self._wanted: set[str] = set()
        self._inbox: asyncio.Queue[tuple[Link, MQTTMessage]] = asyncio.Queue()
        self._changes: list[Callable[[bool], None]] = []
        self._attempts = 0  # connections that failed in a row
        self._session = 0
        self._plain: set[str] = set()  # urls whose broker speaks 3.1.1 only
        self._name = self._configs[0].name if self._configs else ""
        self._since = time.time()
        self._up_at = 0.0  # the same of the connection, by the monotonic clock
        self._fault: str | None = "not tried yet"

    # -- what other rooms use ------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        return self._link is not None

    def connected_s(self) -> float:
        """For how long; 0 while not."""
        return time.monotonic() - self._up_at if self.connected else 0.0

    def on_answer(self, callback: Callable[[Answer], None]) -> None:
        """Call back with each PUBACK of the county's broker."""
        self.flights.on_answer(callback)

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
        window = self.flights.window
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
            refused=self.flights.refusals,
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
        link = Link(
            config, self._client_id, five, self.flights.puback, self._message, self.flights.pump
        )
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
        self._link = link
        self.flights.begin(link)
        self._fault = None
        self._since, self._up_at = time.time(), time.monotonic()
        log.info("county reached by %s (%s)", config.name, config.url)
        link.subscribe(sorted(self._wanted))
        self._tell_state(link)
        for callback in self._changes:
            callback(True)
        self.flights.pump()
        until = time.monotonic() + config.return_s if way else float("inf")
        told = time.monotonic()
        while not link.lost.done():
            await asyncio.wait([link.lost], timeout=TICK_S)
            now = time.monotonic()
            if self.flights.overdue(now):
                return f"{config.url}: no PUBACK in time", False
            if now > until and not self.flights:
                return f"{config.url}: trying {self._configs[0].name} again", True
            if now - told > STATE_S:
                told = now
                self._tell_state(link)
            self.flights.offer_refused(now)
        return f"{config.url}: {link.lost.result()}", False

    def _tell_state(self, link: Link) -> None:
        topic, payload = self._state(True, self._session)
        link.publish(topic, payload, 1, True)
        link.flush()

    def _down(self, why: str) -> None:
        """The line is lost, or could not be had."""
        link, self._link = self._link, None
        self._fault = why
        if link is None:
            log.info("county not reached: %s", why)
            return
        self._since = time.time()
        log.warning("county lost: %s", why)
        link.close()
        self.flights.end()
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
            except Exception:  # one message that breaks a room must not end all that follow it
                log.exception("%s: it is not offered again", message.topic)
            link.acknowledge(message)
