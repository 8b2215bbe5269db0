"""A TCP link on loopback that can go wrong, and that counts what was really acknowledged.

    with Link(broker.port) as link: … link.port …
    link.mute()        connections open now carry nothing more, and stay open
    link.silent = True new connections are accepted and never answered
    link.frozen = True nothing passes, either way; False: it all comes at once
    link.cut()         every connection is closed
    link.say(data)     whoever is connected hears these bytes, as if the broker had sent them
    link.tap           with plain MQTT: Tap, who was acknowledged what

One thread; plain sockets, so that it stands beside a broker that is stopped or killed.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from typing import Any

from patrol_contract import mqtt_packets as mqtt
from patrol_contract.consumer import NEW, Consumer

CHUNK = 65536
SEGMENT = 512  # of a slow link


class Tap:
    """Reads both ways of a connection; a record counts when its PUBACK has come back."""

    def __init__(self) -> None:
        self.consumer = Consumer()
        self.published = 0  # PUBLISH packets seen, repeats included
        self.repeats = 0  # acknowledged once more
        self.acked: list[tuple[int, str]] = []  # (ms, message name) of every PUBACK
        self.sos: list[tuple[int, dict[str, Any]]] = []  # (ms, fields) of every SOS that went by

    def connection(self) -> TapLine:
        return TapLine(self)


class TapLine:
    """One connection's two decoders."""

    def __init__(self, tap: Tap) -> None:
        self._tap = tap
        self._up = mqtt.Decoder(1 << 20)
        self._down = mqtt.Decoder(1 << 20, mqtt.V311)
        self._flight: dict[int, mqtt.Publish] = {}

    def up(self, data: bytes) -> None:
        for packet in self._up.feed(data):
            if isinstance(packet, mqtt.Publish):
                self._tap.published += 1
                self._flight[packet.packet_id] = packet
                _, name, _, fields = Consumer().feed(packet.topic, packet.payload)
                if name == "unit_sos" and fields is not None:
                    self._tap.sos.append((time.monotonic_ns() // 1_000_000, fields))

    def down(self, data: bytes) -> None:
        for packet in self._down.feed(data):
            if isinstance(packet, mqtt.Puback) and packet.packet_id in self._flight:
                publish = self._flight.pop(packet.packet_id)
                verdict, name, _, fields = self._tap.consumer.feed(publish.topic, publish.payload)
                self._tap.acked.append((time.monotonic_ns() // 1_000_000, name or ""))
                if verdict != NEW and fields is not None and fields["seq"]:
                    self._tap.repeats += 1


class Pair:
    """The two ends of one connection."""

    def __init__(
        self, near: socket.socket, far: socket.socket | None, line: TapLine | None
    ) -> None:
        self.near, self.far, self.line = near, far, line
        self.muted = far is None


class Link:
    def __init__(self, target: int, tap: bool = False, rate: float = 0) -> None:
        """rate: bytes a second upward, 0 for as many as it takes."""
        self.target = target
        self._rate = rate
        self._free_at = 0.0
        self.silent = False
        self.frozen = False
        self.connections = 0
        self.tap = Tap() if tap else None
        self._pairs: list[Pair] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._listener.getsockname()[1])
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        self._closing = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Link:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        self._thread.join()
        self.cut()
        self._listener.close()
        self._selector.close()

    def mute(self) -> None:
        with self._lock:
            for pair in self._pairs:
                pair.muted = True

    def say(self, data: bytes) -> None:
        with self._lock, contextlib.suppress(OSError):
            for pair in self._pairs:
                pair.near.sendall(data)

    def cut(self) -> None:
        with self._lock:
            for pair in list(self._pairs):
                self._drop(pair)

    def _run(self) -> None:
        while not self._closing:
            events = self._selector.select(0.05)
            with self._lock:
                for key, _ in events:
                    if key.data is None:
                        self._accept()
                    elif key.data in self._pairs and not self.frozen:
                        self._carry(key.data, key.fileobj)
            if self.frozen:
                time.sleep(0.01)  # what waits stays readable: do not spin

    def _accept(self) -> None:
        near, _ = self._listener.accept()
        self.connections += 1
        far = None
        if not self.silent:
            try:
                far = socket.create_connection(("127.0.0.1", self.target), timeout=1)
            except OSError:
                near.close()
                return
        pair = Pair(near, far, self.tap.connection() if self.tap and far else None)
        self._pairs.append(pair)
        for end in (near, far):
            if end is not None:
                end.settimeout(None)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._selector.register(end, selectors.EVENT_READ, pair)

    def _carry(self, pair: Pair, end: object) -> None:
        assert isinstance(end, socket.socket)
        try:
            data = end.recv(SEGMENT if self._rate else CHUNK)
        except OSError:
            data = b""
        if not data:
            self._drop(pair)
            return
        if pair.muted or pair.far is None:
            return
        upward = end is pair.near
        if upward and self._rate:
            now = time.monotonic()
            self._free_at = max(now, self._free_at) + len(data) / self._rate
            time.sleep(self._free_at - now)
        with contextlib.suppress(OSError):
            (pair.far if upward else pair.near).sendall(data)
        if pair.line is not None:
            (pair.line.up if upward else pair.line.down)(data)

    def _drop(self, pair: Pair) -> None:
        self._pairs.remove(pair)
        for end in (pair.near, pair.far):
            if end is not None:
                with contextlib.suppress(KeyError):
                    self._selector.unregister(end)
                end.close()
