"""One MQTT 3.1.1 connection as asyncio tasks over an open stream; the packets are mqtt_packets'.

    session = Session(stream, clock, window, left)          # left: `unacked` of the last session
    present = await session.hello(connect_packet)           # CONNACK, or LineError
    session.resend()
    session.publish(topic, payload, retain, record)         # False: the window is full
    await session.run(on_message, on_puback, patience_ms)   # until LineError
    session.unacked                                         # what to send again

Packets that wait together leave in one write, and nothing waits for a poll: a PUBACK is an event.
"""

import asyncio

from patrol_contract.mqtt_packets import (
    V311,
    Connack,
    Decoder,
    Pingresp,
    ProtocolError,
    Puback,
    Publish,
    Suback,
    again,
    encode_connect,
    encode_disconnect,
    encode_pingreq,
    encode_puback,
    encode_publish,
    encode_subscribe,
)

LIMIT = 8192  # largest packet taken: the contract's largest payload is smaller
_READ = 512
_TICK_MS = 200
_BURST = 1400  # bytes joined into one write: a TCP segment
_LAST_ID = 65535

REFUSALS = (
    "",
    "does not speak MQTT 3.1.1",
    "refuses our client id",
    "is not ready",
    "refuses our name",
    "does not let us in",
)


class LineError(Exception):
    """This connection is over; the text says why. `stalled`: the broker did not answer in time."""

    def __init__(self, why: str, stalled: bool = False):
        super().__init__(why)
        self.stalled = stalled


class Session:
    def __init__(self, stream, clock, window: int, left=(), version: int = V311):
        """window: how many publishes may be unacknowledged; clock: drivers.clock.Clock."""
        self._stream = stream
        self._clock = clock
        self._window = window
        self._version = version
        self._decoder = Decoder(LIMIT, version)
        self._early = []  # packets that came in one piece with the CONNACK
        self._out = []
        self._wake = asyncio.Event()
        self._over = asyncio.Event()
        self._fault = LineError("not connected")
        self._flight = {}  # packet id -> [record, packet, sent at ms, number]
        self._number = 0
        self._id = 0
        for (
            packet_id,
            record,
            packet,
        ) in left:  # their identifiers are taken from the first packet on
            self._flight[packet_id] = [record, packet, 0, 0]
        self._left = [packet_id for packet_id, _, _ in left]
        self._wrote_ms = self._ping_ms = None
        self._keepalive_ms = 0

    # --- opening -----------------------------------------------------------------------------
    async def hello(self, connect):
        """Send CONNECT, wait for CONNACK; session present. The caller sets the deadline."""
        await self._write(encode_connect(connect))
        self._keepalive_ms = connect.keepalive * 1000
        while not self._early:
            self._early = await self._read()
        connack = self._early.pop(0)
        if not isinstance(connack, Connack):  # the decoder lets nothing else through
            raise LineError("the broker answers CONNECT with something else")
        if connack.reason:
            why = REFUSALS[connack.reason] if connack.reason < len(REFUSALS) else "refuses us"
            raise LineError("the broker " + why)
        return connack.session_present

    def subscribe(self, filters) -> None:
        """QoS 1 for each topic filter; a SUBACK that refuses one ends the connection."""
        self._send(encode_subscribe(self._version, self._next_id(), [(f, 1) for f in filters]))

    # --- publishing --------------------------------------------------------------------------
    def free(self) -> int:
        """How many more publishes the window takes."""
        return self._window - len(self._flight)

    def publish(self, topic: str, payload: bytes, retain: bool, record) -> bool:
        """QoS 1. `record` comes back in on_puback, or stands in `unacked`."""
        if len(self._flight) >= self._window:
            return False
        packet_id = self._next_id()
        packet = encode_publish(self._version, topic, payload, 1, packet_id, retain)
        self._take_off(packet_id, record, packet)
        return True

    def resend(self) -> None:
        """What the last session left unacknowledged, in the same order, with DUP."""
        for packet_id in self._left:
            record, packet = self._flight[packet_id][:2]
            self._take_off(packet_id, record, again(packet))
        self._left = []

    @property
    def unacked(self):
        """[(packet id, record, packet)] in the order sent."""
        flight = sorted(self._flight.items(), key=_number)
        return [(packet_id, entry[0], entry[1]) for packet_id, entry in flight]

    def _take_off(self, packet_id, record, packet):
        self._number += 1
        self._flight[packet_id] = [record, packet, self._clock.now_ms(), self._number]
        self._send(packet)

    def _next_id(self):
        while True:
            self._id = self._id + 1 if self._id < _LAST_ID else 1
            if self._id not in self._flight:
                return self._id

    def quiet(self) -> bool:
        """Nothing to be written, no answer to be waited for."""
        return not self._flight and not self._out and self._ping_ms is None

    # --- running -----------------------------------------------------------------------------
    async def run(self, on_message, on_puback, patience):
        """Serve the connection until LineError. patience() -> ms to wait for any answer.

        MemoryError: there was none to go on with; the connection is over all the same.
        """
        tasks = [
            asyncio.create_task(self._until_fault(self._writer())),
            asyncio.create_task(self._until_fault(self._watch(patience))),
            asyncio.create_task(self._until_fault(self._reader(on_message, on_puback))),
        ]
        try:
            await self._over.wait()
        finally:
            for task in tasks:
                task.cancel()
        raise self._fault

    async def _until_fault(self, work):
        try:
            await work
        except Exception as fault:  # whatever it is: run() raises it, and nothing waits for ever
            self._fault = fault
            self._over.set()

    async def _reader(self, on_message, on_puback):
        packets, self._early = self._early, []
        while True:
            for packet in packets:
                self._take(packet, on_message, on_puback)
            packets = await self._read()

    async def _read(self):
        try:
            data = part = await self._stream.read(_READ)
            # What is left of a long TLS record lies in mbedtls, where the unix port's poll cannot
            # see it.
            while part and len(part) == _READ:
                part = self._stream.s.read(_READ)
                data += part or b""
        except (OSError, ValueError) as error:  # ValueError: a certificate that is not believed
            raise LineError("reading failed: %s" % error)
        if not data:
            raise LineError("the broker closed the connection")
        try:
            return self._decoder.feed(data)
        except ProtocolError as error:
            raise LineError("the broker broke MQTT: %s" % error)

    def _take(self, packet, on_message, on_puback):
        if isinstance(packet, Puback):
            entry = self._flight.pop(packet.packet_id, None)
            if entry is None:
                raise LineError("the broker acknowledged what was not sent")
            on_puback(entry[0], packet.reason)
        elif isinstance(packet, Publish):
            on_message(packet.topic, packet.payload)
            if packet.qos:  # after it was obeyed and kept: the broker forgets it now
                self._send(encode_puback(self._version, packet.packet_id))
        elif isinstance(packet, Pingresp):
            self._ping_ms = None
        elif isinstance(packet, Suback):
            if max(packet.reasons) >= 0x80:
                raise LineError("the broker refuses a subscription")
        else:
            raise LineError("the broker sent what a server does not send")

    def _send(self, packet):
        self._out.append(packet)
        self._wake.set()

    async def _writer(self):
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._out:
                await self._write(self._burst())

    def _burst(self):
        size = count = 0
        for packet in self._out:
            size += len(packet)
            if count and size > _BURST:
                break
            count += 1
        first = self._out[0] if count == 1 else b"".join(self._out[:count])
        del self._out[:count]
        return first

    async def _write(self, data):
        try:
            self._stream.write(data)
            await self._stream.drain()
        except (OSError, ValueError) as error:
            raise LineError("writing failed: %s" % error)
        self._wrote_ms = self._clock.now_ms()

    async def _watch(self, patience):
        """Give up on a broker that does not answer; ping it when there is nothing else to say."""
        while True:
            await asyncio.sleep_ms(_TICK_MS)
            now = self._clock.now_ms()
            longest = patience()
            oldest = self._ping_ms
            for entry in self._flight.values():
                if oldest is None or entry[2] < oldest:
                    oldest = entry[2]
            if oldest is not None and now - oldest > longest:
                raise LineError("no answer for %d ms" % (now - oldest), True)
            if self._ping_ms is None and now - self._wrote_ms > self._keepalive_ms // 2:
                self._ping_ms = now
                self._send(encode_pingreq())

    async def goodbye(self):
        """DISCONNECT: the broker drops our will."""
        await self._write(encode_disconnect(self._version))


def _number(item):
    return item[1][3]
