"""The MQTT server of the units near this checkpoint: PUBACK means committed.

It is here for that one reason: no broker lets its PUBACK wait for somebody else's commit. It serves
what the contract names and nothing else: each unit publishes its own topics (rights.py), which go
unchanged into the outbox; what the county or the page sends comes down through `deliver`.
A payload that breaks the contract is quarantined and acknowledged, else the unit would send it for
ever: it is durable, counted and shown.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from paho.mqtt.client import topic_matches_sub

from edge_agent.event import Event, Klass
from edge_agent.outbox import Outbox
from edge_agent.units.config import UnitsConfig
from edge_agent.units.connection import (
    BUSY,
    KEEPALIVE_OVER,
    NOT_AUTHORISED,
    SHUTTING_DOWN,
    TAKEN_OVER,
    Connection,
    Refused,
)
from edge_agent.units.rights import UnitRights, parsed
from edge_agent.units.sessions import Down, Sessions, Will
from patrol_contract import ContractError, messages, topics
from patrol_contract.mqtt_packets import ProtocolError

log = logging.getLogger(__name__)

HANDSHAKE_S = 10.0
SWEEP_S = 1.0
AWAY_S = 60.0  # a unit gone so long is no longer here: its commands go the other way
WILL_GRACE_S = 30.0  # after a start of ours, before wills of then connected units are published
QUARANTINE_ROWS = 1000
STOP_S = 2.0


class UnitsEndpoint:
    """`run()` for ever. Needs the outbox open.

    on_unit(unit, here) is called as units come and go; on_interest(filters) with what must be
    subscribed at the county for the units that are here.
    """

    def __init__(
        self,
        config: UnitsConfig,
        outbox: Outbox,
        county: str,
        *,
        on_unit: Callable[[str, bool], None] = lambda unit, here: None,
        on_interest: Callable[[set[str]], None] = lambda filters: None,
        on_quarantine: Callable[[str, str, str], None] = lambda unit, topic, why: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.config = config
        self.rights = UnitRights(county)
        self.counts: Counter[str] = Counter()
        self._outbox = outbox
        self._on_unit, self._on_interest = on_unit, on_interest
        self._on_quarantine = on_quarantine
        self._clock = clock
        self._sessions = Sessions(outbox, config.queue)
        self._connections: dict[str, Connection] = {}
        self._serving: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._interest: set[str] = set()
        self._due_wills: dict[str, float] = {}
        self.address: tuple[str, int] | None = None  # where it listens, once it does

    async def run(self) -> None:
        """Listen, serve and sweep."""
        now = self._clock()
        await self._sessions.load(now)
        self._due_wills = {client: now + WILL_GRACE_S for client in self._sessions.wills}
        server = await asyncio.start_server(
            self._serve,
            self.config.listen.host,
            self.config.listen.port,
            ssl=_tls(self.config),
            ssl_handshake_timeout=HANDSHAKE_S if self.config.tls else None,
            backlog=512,  # every unit of a checkpoint comes back at once after a power cut
        )
        self.address = server.sockets[0].getsockname()[:2]
        self._stopping = False
        log.info("units' endpoint listens on %s", self.address)
        try:
            while True:
                await asyncio.sleep(SWEEP_S)
                await self._sweep()
        finally:
            self._stopping = True
            server.close()
            for connection in list(self._connections.values()):
                connection.goodbye(SHUTTING_DOWN)
            if self._serving:
                await asyncio.wait(self._serving, timeout=STOP_S)
            self.address = None

    def here(self) -> list[str]:
        """Units connected now."""
        return sorted(self._connections)

    # -- connections ---------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(self, reader, writer, _common_name(writer))
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        why = "said goodbye"
        try:
            if len(self._serving) > self.config.most_connections:
                raise Refused(BUSY, "too many connections")
            await connection.run()
        except Refused as refused:
            why = str(refused)
            connection.goodbye(refused.reason)
        except ProtocolError as error:
            why = str(error)
            self.counts["protocol_errors"] += 1
            connection.goodbye(error.reason_code)
        except TimeoutError:
            why = "silent or not reading"
        except (OSError, ssl.SSLError) as error:
            why = str(error)
        finally:
            connection.close()
            log.info("unit %s: %s", connection.client or "?", why)
            await self._left(connection)
            self._serving.discard(task)

    async def arrived(self, connection: Connection, clean: bool, will: Will | None) -> bool:
        """A unit's CONNECT was good; True when its session is resumed."""
        client = connection.client
        old = self._connections.get(client)
        if old is not None:
            old.goodbye(TAKEN_OVER)
        self._connections[client] = connection
        self._due_wills.pop(client, None)
        resumed = await self._sessions.begin(client, clean, connection.expiry, will)
        self.counts["connections"] += 1
        self._on_unit(client, True)
        self._tell_interest()
        return resumed

    async def _left(self, connection: Connection) -> None:
        client = connection.client
        if self._connections.get(client) is not connection:
            return  # never arrived, or another connection of the unit took over
        del self._connections[client]
        await self._sessions.end(client, connection.expiry, self._clock())
        self._on_unit(client, False)
        if self._stopping:
            return  # it comes back to our next start, or its will is published then
        will = await self._sessions.withdraw_will(client)
        if will is not None and connection.will_wanted:
            self._publish_will(client, will)

    async def _sweep(self) -> None:
        """Once a second: silent connections, sessions and wills whose time is over."""
        ticks = asyncio.get_running_loop().time()
        for connection in list(self._connections.values()):
            if ticks - connection.heard > 1.5 * connection.keepalive:
                connection.goodbye(KEEPALIVE_OVER)
        now = self._clock()
        for client in self._sessions.expired(now):
            await self._sessions.drop(client)
        for client, due in list(self._due_wills.items()):
            if due <= now:
                del self._due_wills[client]
                will = await self._sessions.withdraw_will(client)
                if will is not None:
                    self._publish_will(client, will)
        self._tell_interest()

    def _publish_will(self, client: str, will: Will) -> None:
        self._accept(client, will.topic, will.payload, will.retain)

    def _tell_interest(self) -> None:
        """What the county must send here: the subscriptions of the units that are here."""
        now = self._clock()
        interest: set[str] = set()
        for session in self._sessions.by_client.values():
            if session.ended is None or now - session.ended < AWAY_S:
                for pattern in session.filters:
                    interest |= self.rights.from_county(session.client, pattern)
        if interest != self._interest:
            self._interest = interest
            self._on_interest(set(interest))

    # -- up ------------------------------------------------------------------------------------

    def published(self, client: str, packet: Any) -> asyncio.Future[int]:
        """A unit's PUBLISH; the future is the PUBACK's reason."""
        if not self.rights.may_publish(client, packet.topic):
            self.counts["forbidden"] += 1
            log.warning("unit %s may not publish to %s", client, packet.topic)
            refused: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            refused.set_result(NOT_AUTHORISED)
            return refused
        return self._accept(client, packet.topic, packet.payload, packet.retain)

    def _accept(self, client: str, topic: str, payload: bytes, retain: bool) -> asyncio.Future[int]:
        reason: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        found = parsed(topic)
        name = found[0] if found else ""
        try:
            fields = messages.decode(name, payload)
        except ContractError as error:
            kept = self._quarantine(client, topic, payload, str(error))
        else:
            self.counts["published"] += 1
            sos = name == "unit_sos"
            kept = self._outbox.submit(
                Event(
                    topic=topic,
                    payload=payload,
                    klass=Klass(topics.klass_of(name, fields)),
                    sender=client,
                    boot=fields["boot"],
                    seq=fields["seq"],
                    retain=retain,
                    sos=fields["id"] if sos else None,
                    state=fields["state"] if sos else None,
                    at=self._clock(),
                )
            )
        kept.add_done_callback(lambda done: _settle(reason, done))
        return reason

    def _quarantine(self, client: str, topic: str, payload: bytes, why: str) -> asyncio.Future[Any]:
        self.counts["quarantined"] += 1
        log.warning("unit %s: %s quarantined: %s", client, topic, why)
        self._on_quarantine(client, topic, why)
        row = (self._clock(), client, topic, payload, why)

        def write(db: Any) -> None:
            db.execute(
                "INSERT INTO quarantine (at,client,topic,payload,why) VALUES (?,?,?,?,?)", row
            )
            db.execute(
                "DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM quarantine) - ?",
                (QUARANTINE_ROWS,),
            )

        return self._outbox.do(write)

    # -- down ----------------------------------------------------------------------------------

    async def deliver(
        self, topic: str, payload: bytes, *, retain: bool = False, expires: float | None = None
    ) -> list[str]:
        """Give a message to every unit that subscribed to it; durable on return.

        Returns the units it is for. OSError when the disk takes nothing: then it is not taken.
        """
        if retain:
            await self._sessions.retain(topic, payload, self._clock())
        surely: list[str] = []
        for client, session in list(self._sessions.by_client.items()):
            qos = max(
                (
                    options & 3
                    for pattern, options in session.filters.items()
                    if topic_matches_sub(pattern, topic)
                ),
                default=-1,
            )
            if qos > 0:
                surely.append(client)
            elif qos == 0 and client in self._connections:
                self._connections[client].send_once(topic, payload, False)
        await self._queue(surely, topic, payload, False, expires)
        return surely

    async def deliver_to(self, client: str, topic: str, payload: bytes, qos: int) -> None:
        """A retained message for a fresh subscription."""
        if qos:
            await self._queue([client], topic, payload, True, None)
        else:
            self._connections[client].send_once(topic, payload, True)

    async def _queue(
        self,
        clients: list[str],
        topic: str,
        payload: bytes,
        retain: bool,
        expires: float | None,
    ) -> None:
        if not clients:
            return
        downs = await self._sessions.queue(clients, topic, payload, retain, expires)
        for client, down in downs.items():
            if client in self._connections:
                self._connections[client].send_down(down)

    # -- what a connection asks of its session -------------------------------------------------

    def filters(self, client: str) -> frozenset[str]:
        return frozenset(self._sessions.by_client[client].filters)

    async def subscribe(self, client: str, filters: dict[str, int]) -> None:
        await self._sessions.subscribe(client, filters)
        self._tell_interest()

    async def unsubscribe(self, client: str, filters: list[str]) -> list[bool]:
        return await self._sessions.unsubscribe(client, filters)

    def retained(self, pattern: str) -> list[tuple[str, bytes]]:
        """Retained messages that a new subscription is given."""
        kept = self._sessions.retained.items()
        return [(topic, payload) for topic, payload in kept if topic_matches_sub(pattern, topic)]

    def waiting(self, client: str) -> list[Down]:
        """Messages for the unit, oldest first; those out of date are dropped here."""
        now = self._clock()
        queue = list(self._sessions.by_client[client].queue.values())
        for down in queue:
            if down.expires is not None and down.expires < now:
                self.counts["expired"] += 1
                self._sessions.delivered(client, down.packet_id)
        return [down for down in queue if down.expires is None or down.expires >= now]

    def tried(self, client: str, packet_id: int) -> bool:
        """Whether the message was sent before; it has been now."""
        tried = self._sessions.by_client[client].tried
        before = packet_id in tried
        tried.add(packet_id)
        return before

    def delivered(self, client: str, packet_id: int) -> None:
        self._sessions.delivered(client, packet_id)


def _settle(reason: asyncio.Future[int], kept: asyncio.Future[Any]) -> None:
    """Accepted: 0. The disk refused: 0x97, and the unit keeps it."""
    if not reason.done():
        failed = kept.cancelled() or kept.exception() is not None
        reason.set_result(BUSY if failed else 0)


def _tls(config: UnitsConfig) -> ssl.SSLContext | None:
    if config.ca is None or config.cert is None or config.key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(config.ca)
    context.load_cert_chain(config.cert, config.key)
    return context


def _common_name(writer: asyncio.StreamWriter) -> str | None:
    """The CN of the client's certificate, "" when it has none; None without TLS."""
    tls: ssl.SSLObject | None = writer.get_extra_info("ssl_object")
    if tls is None:
        return None
    certificate: dict[str, Any] = tls.getpeercert() or {}
    names = [v for part in certificate.get("subject", ()) for k, v in part if k == "commonName"]
    return names[0] if len(names) == 1 else ""
