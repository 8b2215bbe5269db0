"""The MQTT server of the units near this checkpoint: PUBACK means committed.

It is here for that one reason: no broker lets its PUBACK wait for somebody else's commit. It serves
what the contract names and nothing else: each unit publishes its own topics (rights.py), which go
unchanged into the outbox (upward.py); what the county or the page sends comes down through
`deliver` (downward.py). Here: who is connected, since when, and until when.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections import Counter
from collections.abc import Callable

from edge_agent.event import Stamp
from edge_agent.outbox import Outbox
from edge_agent.units.config import UnitsConfig
from edge_agent.units.connection import (
    BUSY,
    KEEPALIVE_OVER,
    SHUTTING_DOWN,
    TAKEN_OVER,
    Connection,
    Refused,
)
from edge_agent.units.downward import Downward
from edge_agent.units.identity import common_name, server_tls
from edge_agent.units.rights import UnitRights
from edge_agent.units.sessions import Sessions, Will
from edge_agent.units.upward import Upward
from patrol_contract.mqtt_packets import ProtocolError

log = logging.getLogger(__name__)

HANDSHAKE_S = 10.0
SWEEP_S = 1.0
AWAY_S = 60.0  # a unit gone so long is no longer here: its commands go the other way
WILL_GRACE_S = 30.0  # after a start of ours, before wills of then connected units are published
STOP_S = 2.0


class UnitsEndpoint:
    """`run()` for ever. Needs the outbox open.

    on_unit(unit, here) is called as units come and go; on_interest(filters) with what must be
    subscribed at the county for the units that are here; now() is the true time, None while nobody
    knows it; stamp() is for records taken in meanwhile.
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
        now: Callable[[], float | None] = time.time,
        stamp: Callable[[], Stamp | None] = lambda: None,
    ) -> None:
        self.config = config
        self.rights = UnitRights(county)
        self.counts: Counter[str] = Counter()
        self._outbox = outbox
        self._on_unit, self._on_interest = on_unit, on_interest
        self._clock = clock
        self._sessions = Sessions(outbox, config.queue)
        self._connections: dict[str, Connection] = {}
        self.up = Upward(outbox, self.rights, self.counts, on_quarantine, clock, stamp)
        self.down = Downward(self._sessions, self._connections, self.counts, clock, now)
        self._serving: set[asyncio.Task[None]] = set()
        self._strangers: dict[Connection, None] = {}  # no CONNECT yet, oldest first
        self._stopping = False
        self._interest: set[str] = set()
        self._due_wills: dict[str, float] = {}
        self.address: tuple[str, int] | None = None  # where it listens, once it does

    async def run(self) -> None:
        """Listen, serve and sweep."""
        ticks = time.monotonic()
        loaded = await self._sessions.load(self._clock(), ticks)
        self._due_wills = {client: ticks + WILL_GRACE_S for client in self._sessions.wills}
        server = await asyncio.start_server(
            self._serve,
            self.config.listen.host,
            self.config.listen.port,
            ssl=server_tls(self.config),
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
                if not loaded and self._outbox.fault is None:
                    log.warning("the disk is well again: the units' sessions are read")
                    return
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
        connection = Connection(self, reader, writer, common_name(writer))
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        self._strangers[connection] = None
        why = "said goodbye"
        try:
            if len(self._serving) > self.config.most_connections:
                self._make_place(connection)
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
            self._strangers.pop(connection, None)

    def _make_place(self, newest: Connection) -> None:
        """Who has not said yet who he is goes first; units that are here stay."""
        for oldest in self._strangers:
            if oldest is not newest:
                del self._strangers[oldest]
                self.counts["crowded out"] += 1
                oldest.close()
                return
        raise Refused(BUSY, "too many connections")

    async def arrived(self, connection: Connection, clean: bool, will: Will | None) -> bool:
        """A unit's CONNECT was good; True when its session is resumed."""
        client = connection.client
        old = self._connections.get(client)
        if old is not None:
            old.goodbye(TAKEN_OVER)
        self._connections[client] = connection
        self._strangers.pop(connection, None)
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
        await self._sessions.end(client, connection.expiry, self._clock(), time.monotonic())
        self._on_unit(client, False)
        if self._stopping:
            return  # it comes back to our next start, or its will is published then
        if connection.will_wanted:
            await self._publish_will(client)
        else:
            await self._sessions.withdraw_will(client)

    async def _sweep(self) -> None:
        """Once a second: silent connections, sessions and wills whose time is over."""
        ticks = time.monotonic()
        for connection in list(self._connections.values()):
            if ticks - connection.heard > 1.5 * connection.keepalive:
                connection.goodbye(KEEPALIVE_OVER)
        for client in self._sessions.expired(ticks):
            await self._sessions.drop(client)
        for client, due in list(self._due_wills.items()):
            if due <= ticks:
                del self._due_wills[client]
                await self._publish_will(client)
        self._tell_interest()

    async def _publish_will(self, client: str) -> None:
        """Accepted first, then forgotten: killed in between, it is published twice."""
        will = self._sessions.wills.get(client)
        if will is None:
            return
        reason = await self.up.take(client, will.topic, will.payload, will.retain)
        if reason == 0 and self._sessions.wills.get(client) is will:  # it may be back by now
            await self._sessions.withdraw_will(client)
        elif reason:
            self._due_wills[client] = time.monotonic() + WILL_GRACE_S

    def _tell_interest(self) -> None:
        """What the county must send here: the subscriptions of the units that are here."""
        ticks = time.monotonic()
        interest: set[str] = set()
        for session in self._sessions.by_client.values():
            if session.ended is None or ticks - session.ended < AWAY_S:
                for pattern in session.filters:
                    interest |= self.rights.from_county(session.client, pattern)
        if interest != self._interest:
            self._interest = interest
            self._on_interest(set(interest))

    # -- down ----------------------------------------------------------------------------------

    async def deliver(
        self, topic: str, payload: bytes, *, retain: bool = False, expires: float | None = None
    ) -> list[str]:
        """Give a message to every unit that subscribed to it; durable on return.

        Returns the units it is for. OSError when the disk takes nothing: then it is not taken.
        """
        return await self.down.deliver(topic, payload, retain, expires)

    # -- what a connection asks of its session -------------------------------------------------

    def filters(self, client: str) -> frozenset[str]:
        return frozenset(self._sessions.by_client[client].filters)

    async def subscribe(self, client: str, filters: dict[str, int]) -> None:
        await self._sessions.subscribe(client, filters)
        self._tell_interest()

    async def unsubscribe(self, client: str, filters: list[str]) -> list[bool]:
        return await self._sessions.unsubscribe(client, filters)
