"""What stands around the heart in the benches: units that remember what was acknowledged to them, a
county that remembers what it got, and the heart process between them, to be killed.

Lost = acknowledged to a unit, or said by the heart's own sensors to be accepted, and neither
received by the county nor declared in a gap. All three ledgers live outside the process killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import sqlite3
import sys
import threading
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from patrol_contract import consumer, messages, topics
from patrol_contract import mqtt_packets as mqtt
from patrol_contract.examples import EXAMPLES
from patrol_contract.intervals import Intervals

ROOT = Path(__file__).parents[2]
COUNTY, CHECKPOINT = "c371500", "k-07"
IDLE = 20  # records under way at any moment when nothing is wrong
WINDOW = 16  # PUBLISHes of one unit without PUBACK

Key = tuple[str, str]  # sender, boot


class UnitLoad:
    """A unit that publishes positions at a rate and resends what was not acknowledged."""

    def __init__(self, unit: str, per_s: float) -> None:
        self.unit, self.per_s = unit, per_s
        self.boot = secrets.token_hex(8)
        self.acked = Intervals()
        self._seq = 0
        self._waiting: dict[int, int] = {}  # packet id -> seq
        self._topic = topics.topic("unit_location", C=COUNTY, U=unit)
        self._fields = {**EXAMPLES["unit_location"][1], "boot": self.boot}

    async def run(self, port: int) -> None:
        """One connection, until the endpoint is gone."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                hello = mqtt.Connect(self.unit, mqtt.V5, True, 30, None, None, None, {})
                writer.write(mqtt.encode_connect(hello))
                self._greet(writer)
                decoder = mqtt.Decoder(4096, mqtt.V5)
                again = sorted(self._waiting.values())
                self._waiting.clear()
                for seq in again:
                    self._publish(writer, seq)
                sending = asyncio.create_task(self._send(writer))
                try:
                    while data := await reader.read(4096):
                        for packet in decoder.feed(data):
                            if isinstance(packet, mqtt.Publish) and packet.packet_id:
                                writer.write(mqtt.encode_puback(mqtt.V5, packet.packet_id))
                            if isinstance(packet, mqtt.Puback) and packet.reason < 0x80:
                                self.acked.add(self._waiting.pop(packet.packet_id))
                finally:
                    sending.cancel()
            finally:
                writer.close()

    def _greet(self, writer: asyncio.StreamWriter) -> None:
        """What else is said first."""

    async def _send(self, writer: asyncio.StreamWriter) -> None:
        while True:
            await asyncio.sleep(1 / self.per_s)
            if len(self._waiting) < WINDOW and not writer.is_closing():
                self._seq += 1
                self._publish(writer, self._seq)

    def _publish(self, writer: asyncio.StreamWriter, seq: int) -> None:
        packet_id = seq % 65535 + 1
        self._waiting[packet_id] = seq
        payload = messages.encode("unit_location", {**self._fields, "seq": seq})
        writer.write(mqtt.encode_publish(mqtt.V5, self._topic, payload, 1, packet_id))


class CountyLedger:
    """The county: an ordinary client with the reference consumer; its session is persistent."""

    def __init__(self, port: int) -> None:
        self.consumer = consumer.Consumer()
        self.lock = threading.Lock()
        self.received = 0
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=f"ledger-{port}", clean_session=False
        )
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._connected
        self._client.on_message = self._message
        self._client.connect("127.0.0.1", port, 10)
        self._subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.loop_start()
        if not self._subscribed.wait(10):
            raise OSError("the county's consumer could not subscribe")

    def _connected(self, client: paho.Client, *_: Any) -> None:
        client.subscribe([("patrol/v1/#", 1), ("owntracks/#", 1)])

    def _message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        with self.lock:
            self.received += 1
            self.consumer.feed(message.topic, message.payload, message.retain)

    def lost(self, accepted: dict[Key, Intervals]) -> int:
        """Records accepted and neither received nor declared."""
        with self.lock:
            holes = self.consumer.lost(accepted)
        return sum(high - low + 1 for rows in holes.values() for low, high in rows)

    async def has_all(self, accepted: dict[Key, Intervals], seconds: float) -> int:
        """Wait until nothing is lost, at most so long; returns what is."""
        deadline = time.monotonic() + seconds
        while (lost := self.lost(accepted)) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.2)  # it is filled by paho's thread
        return lost

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class Heart:
    """The process, started and killed."""

    def __init__(self, data: Path, county: int, *options: str) -> None:
        self.data, self.county, self.options = data, county, options
        self.port = 0
        self.said: dict[Key, Intervals] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.heart_process", str(self.data), str(self.county),
            *self.options, cwd=ROOT,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": f"{ROOT}/firmware:{ROOT}"},
        )  # fmt: skip
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), 30)
        self.port = int(line.split()[1])
        self._listening = asyncio.create_task(self._listen(self._process.stdout))

    async def _listen(self, stdout: asyncio.StreamReader) -> None:
        while line := await stdout.readline():
            _, boot, seq = line.split()
            self.said.setdefault((CHECKPOINT, boot.decode()), Intervals()).add(int(seq))

    async def kill(self) -> None:
        """SIGKILL, then read what it still said before."""
        assert self._process is not None and self._listening is not None
        self._process.kill()
        await self._process.wait()
        await self._listening

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def drained(self, seconds: float) -> None:
        """Wait until only what its sensors say just now is in its database."""
        deadline = time.monotonic() + seconds
        while self.waiting() > IDLE and time.monotonic() < deadline:  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.2)

    def waiting(self) -> int:
        """Records in its database."""
        with contextlib.closing(sqlite3.connect(self.data / "outbox.db", timeout=5)) as db:
            return int(db.execute("SELECT count(*) FROM record").fetchone()[0])
