"""One MQTT 3.1.1 connection over an open socket; the packets are mqtt_packets'.

    session = Session(sock, clock, window, left)            # left: `unacked` of the last session
    present = await session.hello(connect_packet)           # CONNACK, or LineError
    session.resend(split)                                   # split(record) -> topic, payload
    session.publish(topic, payload, retain, record)         # False: the window is full
    await session.run(on_message, on_puback, alive)         # until LineError
    session.check(patience_ms)                              # some times a second, by another task
    session.close()
    session.unacked                                         # what to send again

One task reads; another one exists while there is something to write. Packets that wait together
leave in one write, and nothing waits for a poll: a PUBACK is an event. asyncio's own streams,
events and timeouts do the same in 2.5 KB more.
"""

import asyncio
from asyncio import core  # pyright: ignore[reportAttributeAccessIssue] (not in the stubs)

from patrol_contract.mqtt_packets import (
    V311,
    Connack,
    Decoder,
    Pingresp,
    ProtocolError,
    Puback,
    Publish,
    Suback,
    encode_connect,
    encode_pingreq,
    encode_puback,
    encode_publish,
    encode_subscribe,
)

LIMIT = 8192  # largest packet taken: the contract's largest payload is smaller
_READ = 256
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
    """This connection is over; the text says why."""


class Silence(LineError):
    """The broker did not answer in time."""


class Session:
    def __init__(self, sock, clock, window: int, left=(), version: int = V311):
        """window: how many publishes may be unacknowledged; clock: drivers.clock.Clock."""
        self._sock = sock
        self._clock = clock
        self._window = window
        self._version = version
        self._decoder = Decoder(LIMIT, version)
        self._early = []  # packets that came in one piece with the CONNACK
        self._out = []  # packets to be written
        self._reader = self._writer = None  # tasks
        self._fault = None
        self._flight = {}  # packet id -> (record, sent at ms, number)
        self._number = 0
        self._id = 0
        for packet_id, record in left:  # their identifiers are taken from the first packet on
            self._flight[packet_id] = (record, 0, 0)
        self._left = left
        self._wrote_ms = self._ping_ms = None
        self._keepalive_ms = 0

    # --- opening -----------------------------------------------------------------------------
    async def hello(self, connect):
        """Send CONNECT, wait for CONNACK; session present. The caller sets the deadline."""
        self._reader = asyncio.current_task()
        self._keepalive_ms = connect.keepalive * 1000
        self._out.append(encode_connect(connect))
        try:
            await self._flush()  # pyright: ignore[reportGeneralTypeIssues]
        except (OSError, ValueError) as error:
            raise LineError("writing failed: %s" % error)
        while not self._early:
            self._early = await self._read()  # pyright: ignore[reportGeneralTypeIssues]
        connack = self._early.pop(0)
        if not isinstance(connack, Connack):  # the decoder lets nothing else through
            raise LineError("the broker answers CONNECT with something else")
        if connack.reason:
            why = REFUSALS[connack.reason] if connack.reason < len(REFUSALS) else "refuses us"
            raise LineError("the broker " + why)
        return connack.session_present

    def subscribe(self, filters) -> None:
        """QoS 1 for each topic filter; a SUBACK that refuses one ends the connection."""
        wanted = []
        for name in filters:
            wanted.append((name, 1))
        self._send(encode_subscribe(self._version, self._next_id(), wanted))

    # --- publishing --------------------------------------------------------------------------
    def free(self) -> int:
        """How many more publishes the window takes."""
        return self._window - len(self._flight)

    def publish(self, topic: str, payload: bytes, retain: bool, record) -> bool:
        """QoS 1. `record` comes back in on_puback, or stands in `unacked`."""
        if len(self._flight) >= self._window:
            return False
        self._take_off(self._next_id(), topic, payload, retain, False, record)
        return True

    def resend(self, split) -> None:
        """What the last session left unacknowledged, in the same order, with DUP."""
        for packet_id, record in self._left:
            topic, payload = split(record)
            self._take_off(packet_id, topic, payload, False, True, record)
        self._left = ()

    @property
    def unacked(self):
        """[(packet id, record)] in the order sent; what was sent without a record is over."""
        found = []
        for packet_id, (record, _, _) in sorted(self._flight.items(), key=_number):
            if record is not None:
                found.append((packet_id, record))
        return found

    def _take_off(self, packet_id, topic, payload, retain, dup, record):
        self._number += 1
        self._flight[packet_id] = (record, self._clock.now_ms(), self._number)
        self._send(encode_publish(self._version, topic, payload, 1, packet_id, retain, dup))

    def _next_id(self):
        while True:
            self._id = self._id + 1 if self._id < _LAST_ID else 1
            if self._id not in self._flight:
                return self._id

    def quiet(self) -> bool:
        """Nothing to be written, no answer to be waited for."""
        return not self._flight and not self._out and self._ping_ms is None

    # --- running -----------------------------------------------------------------------------
    async def run(self, on_message, on_puback, alive):
        """Serve the connection until LineError; alive() after whatever came.

        MemoryError: there was none to go on with; the connection is over all the same.
        """
        self._reader = asyncio.current_task()
        packets, self._early = self._early, []
        while True:
            alive()
            for packet in packets:
                self._take(packet, on_message, on_puback)
            packets = await self._read()  # pyright: ignore[reportGeneralTypeIssues]

    def check(self, longest_ms: int) -> None:
        """Give up on a broker that does not answer; ping it when there is nothing else to say."""
        now = self._clock.now_ms()
        oldest = self._ping_ms
        for _, sent_ms, _ in self._flight.values():
            if oldest is None or sent_ms < oldest:
                oldest = sent_ms
        if oldest is not None and now - oldest > longest_ms:
            raise Silence("no answer for %d ms" % (now - oldest))
        if self._ping_ms is None and now - self._wrote_ms > self._keepalive_ms // 2:
            self._ping_ms = now
            self._send(encode_pingreq())

    def fail(self, fault) -> None:
        """End the connection, from another task than the one that reads: that one gets `fault`."""
        if self._fault is None and self._reader is not None:
            self._fault = fault
            self._reader.cancel()

    def close(self) -> None:
        """Nothing more is written."""
        if self._writer is not None:
            self._writer.cancel()

    def _read(self):
        """Awaited: the packets that have come."""
        packets = []
        part = None
        try:
            while part is None:
                yield core._io_queue.queue_read(self._sock)
                part = self._sock.read(_READ)
            if not part:
                raise LineError("the broker closed the connection")
            while part:
                packets += self._decoder.feed(part)
                # What is left of a long TLS record lies in mbedtls, where the unix port's poll
                # cannot see it.
                part = self._sock.read(_READ) if len(part) == _READ else None
        except asyncio.CancelledError:
            if self._fault is None:
                raise
            raise self._fault
        except (OSError, ValueError) as error:  # ValueError: a certificate that is not believed
            raise LineError("reading failed: %s" % error)
        except ProtocolError as error:
            raise LineError("the broker broke MQTT: %s" % error)
        return packets

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
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())

    async def _write(self):
        try:
            await self._flush()  # pyright: ignore[reportGeneralTypeIssues]
        except (OSError, ValueError) as error:
            self.fail(LineError("writing failed: %s" % error))
        except Exception as fault:  # whatever it is: who reads ends with it, nothing waits for ever
            self.fail(fault)
        finally:
            self._writer = None

    def _burst(self):
        """As many packets as one TCP segment takes; one, where memory has no such block."""
        size = count = 0
        for packet in self._out:
            size += len(packet)
            if count and size > _BURST:
                break
            count += 1
        try:
            data = b"".join(self._out[:count])
        except MemoryError:
            count = 1
            data = self._out[0]
        del self._out[:count]
        return data

    def _flush(self):
        """Awaited: write all that waits, and what comes to it meanwhile."""
        while self._out:
            data = memoryview(self._burst())
            while data:
                count = self._sock.write(data)
                if count is None or count < len(data):
                    data = data[count or 0 :]
                    yield core._io_queue.queue_write(self._sock)
                else:
                    data = None
            self._wrote_ms = self._clock.now_ms()


def _number(item):
    return item[1][2]
