"""One unit's connection: MQTT packets in, the endpoint's answers out.

PUBACKs leave in the order of their PUBLISHes (MQTT 4.6), each when its record is accepted.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Any

from edge_agent.units.quota import Bucket
from edge_agent.units.sessions import NEVER, Down, Will
from patrol_contract import mqtt_packets as mqtt
from patrol_contract import mqtt_properties as props

if TYPE_CHECKING:
    from edge_agent.units.endpoint import UnitsEndpoint

log = logging.getLogger(__name__)

LONGEST = 16384  # bytes of one packet: the contract's longest payload twice over
RECEIVE_MAXIMUM = 64  # PUBLISHes of one unit that wait for their commit
CONNECT_S = 10.0  # for the CONNECT after TLS
WRITE_S = 10.0  # a unit that takes nothing for so long is gone
MOST_FILTERS = 32
UNREAD = 1 << 16  # bytes that wait for a unit to read them
KEEPALIVE = 300  # s, the most that is granted

# MQTT 5 reason codes, and what 3.1.1 says for them in CONNACK
ACCEPTED, BAD_ID, NOT_AUTHORISED, BUSY = 0x00, 0x85, 0x87, 0x97
TAKEN_OVER, SHUTTING_DOWN, KEEPALIVE_OVER, BAD_QOS = 0x8E, 0x8B, 0x8D, 0x9B
WITH_WILL = 0x04  # DISCONNECT that wants the will published
UNSPECIFIED, NOT_FOUND = 0x80, 0x11
NO_SHARED, NO_SUBSCRIPTION_ID = 0x9E, 0xA1
_CONNACK_311 = {BAD_ID: 2, NOT_AUTHORISED: 5, BUSY: 3, BAD_QOS: 3}


class Refused(Exception):
    """The connection ends with this MQTT 5 reason."""

    def __init__(self, reason: int, why: str) -> None:
        super().__init__(why)
        self.reason = reason


class Connection:
    """`await run()` until the unit is gone."""

    def __init__(
        self,
        endpoint: UnitsEndpoint,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        certified: str | None,
    ) -> None:
        self.endpoint = endpoint
        self.certified = certified  # the certificate's CN, None without TLS
        self.client = ""
        self.version = mqtt.V311
        self.expiry = 0
        self.heard = asyncio.get_running_loop().time()
        self.keepalive = 0
        self.will_wanted = True
        self._greeted = False  # CONNACK is out: only now may anything else be
        self._reader, self._writer = reader, writer
        self._decoder = mqtt.Decoder(LONGEST)
        config = endpoint.config
        self._bucket = Bucket(config.messages_per_s, config.burst, self.heard)
        self._acks: deque[tuple[int, asyncio.Future[int]]] = deque()
        self._acked = asyncio.Event()
        self._flying: set[int] = set()
        self._most_flying = 16

    # -- its life ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve until it ends; Refused, ProtocolError and OSError are its ends."""
        async with asyncio.timeout(CONNECT_S):
            packets = await self._read()
            while not packets:
                packets = await self._read()
        hello, *packets = packets
        await self._connect(hello)
        while True:
            for packet in packets:
                if await self._take(packet):
                    return
            packets = await self._read()

    async def _read(self) -> list[Any]:
        data = await self._reader.read(65536)
        if not data:
            raise ConnectionResetError("closed by the unit")
        self.heard = asyncio.get_running_loop().time()
        return self._decoder.feed(data)

    async def _connect(self, hello: Any) -> None:
        self.version = hello.version
        try:
            client = self._identity(hello)
            will = self._will(client, hello.will)
        except Refused as refused:
            code = refused.reason if self.version == mqtt.V5 else _CONNACK_311[refused.reason]
            self._send(mqtt.encode_connack(self.version, False, code))
            raise
        self.client = client
        most = self.endpoint.config.session_s
        if self.version == mqtt.V5:
            asked = hello.properties.get(props.SESSION_EXPIRY, 0)
        else:
            asked = 0 if hello.clean else most
        self.expiry = min(asked, most)
        self._most_flying = min(16, hello.properties.get(props.RECEIVE_MAXIMUM, 16))
        self.keepalive = min(hello.keepalive or KEEPALIVE, KEEPALIVE)
        resumed = await self.endpoint.arrived(self, hello.clean, will)
        granted: dict[int, Any] = {}
        if self.version == mqtt.V5:
            granted = {
                props.RECEIVE_MAXIMUM: RECEIVE_MAXIMUM,
                props.MAXIMUM_QOS: 1,
                props.MAXIMUM_PACKET_SIZE: LONGEST,
                props.SHARED_AVAILABLE: 0,
                props.SUBSCRIPTION_ID_AVAILABLE: 0,
            }
            if self.expiry != asked:
                granted[props.SESSION_EXPIRY] = self.expiry
            if self.keepalive != hello.keepalive:
                granted[props.SERVER_KEEP_ALIVE] = self.keepalive
            if not hello.client_id:
                granted[props.ASSIGNED_CLIENT_ID] = client
        self._send(mqtt.encode_connack(self.version, resumed, ACCEPTED, granted))
        self._greeted = True
        for down in self.endpoint.down.waiting(client):
            self.send_down(down)

    def _identity(self, hello: Any) -> str:
        """The unit's id: the certificate's name; a client id or user name must agree with it."""
        named = self.certified or hello.client_id
        if not self.endpoint.rights.is_unit(named):
            raise Refused(NOT_AUTHORISED, f"{named!r} is no unit's name")
        if hello.client_id not in ("", named):
            raise Refused(BAD_ID, f"client id {hello.client_id!r}, certificate {named!r}")
        if hello.username not in (None, named):
            raise Refused(NOT_AUTHORISED, f"user {hello.username!r}, certificate {named!r}")
        return named

    def _will(self, client: str, will: Any) -> Will | None:
        if will is None:
            return None
        if will.qos > 1:
            raise Refused(BAD_QOS, "a will of QoS 2")
        if not self.endpoint.rights.may_publish(client, will.topic):
            raise Refused(NOT_AUTHORISED, f"a will for {will.topic}")
        return Will(will.topic, will.payload, will.retain)

    # -- packets from the unit -----------------------------------------------------------------

    async def _take(self, packet: Any) -> bool:
        """Deal with one packet; True when the unit said goodbye."""
        if not isinstance(packet, mqtt.Puback | mqtt.Disconnect):
            await self._its_turn()
        if isinstance(packet, mqtt.Publish):
            await self._publish(packet)
        elif isinstance(packet, mqtt.Puback):
            self._flying.discard(packet.packet_id)
            self.endpoint.down.delivered(self.client, packet.packet_id)
            self._send_waiting()
        elif isinstance(packet, mqtt.Subscribe):
            await self._subscribe(packet)
        elif isinstance(packet, mqtt.Unsubscribe):
            there = await self.endpoint.unsubscribe(self.client, list(packet.filters))
            reasons = [ACCEPTED if found else NOT_FOUND for found in there]
            self._send(mqtt.encode_unsuback(self.version, packet.packet_id, reasons))
        elif isinstance(packet, mqtt.Pingreq):
            self._send(mqtt.encode_pingresp())
        elif isinstance(packet, mqtt.Disconnect):
            self.will_wanted = packet.reason == WITH_WILL
            self.expiry = min(packet.properties.get(props.SESSION_EXPIRY, self.expiry), NEVER)
            return True
        async with asyncio.timeout(WRITE_S):
            await self._writer.drain()
        return False

    async def _its_turn(self) -> None:
        """Whatever a unit asks for costs a token: a subscription is a commit, too."""
        wait = self._bucket.take(asyncio.get_running_loop().time())
        if wait:
            self.endpoint.counts["throttled"] += 1
            await asyncio.sleep(wait)

    async def _publish(self, packet: Any) -> None:
        if packet.qos > 1:
            raise Refused(BAD_QOS, "QoS 2 is not spoken here")
        accepted = self.endpoint.up.published(self.client, packet)
        if packet.qos == 0:
            return
        self._acks.append((packet.packet_id, accepted))
        accepted.add_done_callback(lambda _: self._flush_acks())
        while len(self._acks) > RECEIVE_MAXIMUM:  # no further reading: the unit feels it
            self._acked.clear()
            await self._acked.wait()

    def _flush_acks(self) -> None:
        while self._acks and self._acks[0][1].done():
            packet_id, accepted = self._acks.popleft()
            reason = UNSPECIFIED if accepted.cancelled() else accepted.result()
            if reason >= UNSPECIFIED and self.version != mqtt.V5:
                self.close()  # 3.1.1 has no other word for it: what is not accepted comes again
                break
            self._send(mqtt.encode_puback(self.version, packet_id, reason))
        self._acked.set()

    async def _subscribe(self, packet: Any) -> None:
        if props.SUBSCRIPTION_ID in packet.properties:
            raise Refused(NO_SUBSCRIPTION_ID, "subscription identifiers are not offered")
        before = self.endpoint.filters(self.client)
        granted: dict[str, int] = {}
        reasons: list[int] = []
        for pattern, options in packet.filters:
            if pattern.startswith("$share/"):
                reasons.append(NO_SHARED if self.version == mqtt.V5 else UNSPECIFIED)
            elif not self.endpoint.rights.may_subscribe(self.client, pattern):
                reasons.append(NOT_AUTHORISED if self.version == mqtt.V5 else UNSPECIFIED)
            elif len(before) + len(granted) >= MOST_FILTERS:
                reasons.append(BUSY if self.version == mqtt.V5 else UNSPECIFIED)
            else:
                granted[pattern] = options
                reasons.append(min(options & 3, 1))
        await self.endpoint.subscribe(self.client, granted)
        self._send(mqtt.encode_suback(self.version, packet.packet_id, reasons))
        for pattern, options in granted.items():
            handling = options >> 4 & 3
            if handling == 0 or (handling == 1 and pattern not in before):
                for topic, payload in self.endpoint.down.retained(pattern):
                    await self.endpoint.down.deliver_to(
                        self.client, topic, payload, min(options & 3, 1)
                    )

    # -- packets to the unit -------------------------------------------------------------------

    def send_down(self, down: Down) -> None:
        """A QoS 1 message, when the unit's window has room; it waits in the session otherwise."""
        busy = len(self._flying) >= self._most_flying or down.packet_id in self._flying
        if busy or not self._greeted:
            return
        self._flying.add(down.packet_id)
        again = self.endpoint.down.tried(self.client, down.packet_id)
        self._send(
            mqtt.encode_publish(
                self.version, down.topic, down.payload, 1, down.packet_id, down.retain, again
            )
        )

    def send_once(self, topic: str, payload: bytes, retain: bool) -> None:
        """A QoS 0 message; dropped when the unit does not read."""
        if self._greeted and self._writer.transport.get_write_buffer_size() < UNREAD:
            self._send(mqtt.encode_publish(self.version, topic, payload, 0, 0, retain))

    def _send_waiting(self) -> None:
        for down in self.endpoint.down.waiting(self.client):
            if len(self._flying) >= self._most_flying:
                break
            self.send_down(down)

    def _send(self, data: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(data)

    def goodbye(self, reason: int) -> None:
        """End it from this side; MQTT 5 is told why."""
        if self.version == mqtt.V5 and self.client:
            self._send(mqtt.encode_disconnect(self.version, reason))
        self.close()

    def close(self) -> None:
        if not self._writer.is_closing():
            self._writer.close()
