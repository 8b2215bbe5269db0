"""The uplink against brokers that fail it: mute, refusing, deaf, half open, gone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from edge_agent.event import Event, Klass
from edge_agent.outbox import Outbox
from edge_agent.uplink import Uplink
from edge_agent.uplink_config import UplinkConfig
from edge_agent.uplink_flight import Answer
from patrol_contract import mqtt_packets as mqtt
from tests.fakes.mosquitto import Mosquitto
from tests.fakes.mute_broker import MuteBroker
from tests.fakes.slow_link import SlowLink

SOS_ID = "9b1d6ae2f00c4417"


def event(seq: int) -> Event:
    return Event("owntracks/c/u", b"{}", Klass.TELEMETRY, "u-1", "0" * 16, seq, at=time.time())


def sos(seq: int = 1) -> Event:
    return Event(
        "patrol/v1/c/u/sos", b"{}", Klass.SOS, "u-1", "0" * 16, seq, sos=SOS_ID, state="raised"
    )


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not within the time"
        await asyncio.sleep(0.01)


class Here:
    """An outbox and an uplink with the ways given; `answers` and `changes` as they come."""

    def __init__(self, outbox: Outbox, *ports: int, **more: Any) -> None:
        self.outbox = outbox
        self.answers: list[Answer] = []
        self.changes: list[bool] = []
        self.got: list[tuple[str, bytes]] = []
        ways = [
            UplinkConfig(name=f"way-{n}", url=f"mqtt://127.0.0.1:{port}", **more)
            for n, port in enumerate(ports)
        ]
        self.uplink = Uplink(
            ways, outbox, self._command, client_id="k-07",
            state=lambda online, session: ("patrol/v1/c/cp/k-07/state", b"%d" % online),
        )  # fmt: skip
        self.uplink.on_answer(self.answers.append)
        self.uplink.on_change(self.changes.append)
        self.task = asyncio.create_task(self.uplink.run())

    async def _command(self, topic: str, payload: bytes, retained: bool) -> None:
        if payload == b"disk full":
            raise OSError("the disk is full")
        if payload == b"breaks a room":
            raise KeyError("a room's mistake")
        self.got.append((topic, payload))

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@pytest.fixture
async def outbox(tmp_path: Path) -> AsyncIterator[Outbox]:
    outbox = Outbox(tmp_path / "outbox.db")
    await outbox.open()
    yield outbox
    await outbox.close()


@pytest.fixture
def county(tmp_path: Path):
    with Mosquitto(tmp_path / "county") as broker:
        yield broker


async def test_nothing_is_deleted_without_a_puback(outbox: Outbox) -> None:
    broker = await MuteBroker().start()
    here = Here(outbox, broker.port)
    await asyncio.gather(*(outbox.submit(event(seq)) for seq in range(20)))
    await until(lambda: broker.ignored > 0)
    await asyncio.sleep(0.3)
    assert outbox.backlog().rows == 20 and here.answers == []
    await here.stop()
    await broker.stop()


async def test_a_mute_broker_costs_an_sos_seconds_then_the_other_way_is_taken(
    outbox: Outbox, county: Mosquitto
) -> None:
    """The PUBACK timer: the first way accepts the connection and never answers."""
    mute = await MuteBroker().start()
    async with aiomqtt.Client("127.0.0.1", county.port) as consumer:
        await consumer.subscribe("patrol/v1/c/+/sos", qos=1)
        here = Here(outbox, mute.port, county.port)
        await until(lambda: here.uplink.connected)
        began = time.monotonic()
        await outbox.accept(sos())
        await until(lambda: here.answers, 15)
        assert time.monotonic() - began < 10
        assert here.answers[0].heard and here.uplink.status().name == "way-1"
    await here.stop()
    await mute.stop()


async def test_an_sos_that_nobody_hears_is_kept_and_offered_again(
    outbox: Outbox, county: Mosquitto
) -> None:
    """MQTT 5 says 0x10, no matching subscribers: acknowledged, but nobody has it."""
    here = Here(outbox, county.port)
    await outbox.accept(event(1))
    await outbox.accept(sos())
    await until(lambda: any(answer.event.sos for answer in here.answers))
    (unheard,) = [answer for answer in here.answers if answer.event.sos]
    assert unheard.reason == 0x10 and not unheard.heard
    await until(lambda: outbox.backlog().rows == 1)
    async with aiomqtt.Client("127.0.0.1", county.port) as consumer:
        await consumer.subscribe("patrol/v1/c/+/sos", qos=1)
        await until(lambda: outbox.backlog().rows == 0)
    assert here.answers[-1].heard
    await here.stop()


class Refusing(MuteBroker):
    """Answers every PUBLISH with 0x87, not authorised."""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        decoder = mqtt.Decoder(1 << 16)
        while data := await reader.read(65536):
            for packet in decoder.feed(data):
                if isinstance(packet, mqtt.Connect):
                    writer.write(mqtt.encode_connack(mqtt.V5, False, 0))
                elif isinstance(packet, mqtt.Publish):
                    writer.write(mqtt.encode_puback(mqtt.V5, packet.packet_id, 0x87))


async def test_a_refused_record_is_kept_counted_and_told(outbox: Outbox) -> None:
    broker = await Refusing().start()
    here = Here(outbox, broker.port)
    await outbox.accept(event(1))
    await until(lambda: here.answers)
    assert not here.answers[0].heard and here.uplink.status().refused == 1
    await asyncio.sleep(0.2)
    assert outbox.backlog().rows == 1
    await here.stop()
    await broker.stop()


async def test_after_an_outage_the_sos_is_first_though_it_was_raised_last(
    outbox: Outbox, county: Mosquitto
) -> None:
    await asyncio.gather(*(outbox.submit(event(seq)) for seq in range(200)))
    await outbox.accept(sos(999))
    order: list[str] = []
    async with aiomqtt.Client("127.0.0.1", county.port) as consumer:
        await consumer.subscribe("#", qos=1)
        here = Here(outbox, county.port)
        async with asyncio.timeout(20):
            async for message in consumer.messages:
                order.append(message.topic.value)
                if len(order) == 202:
                    break
    assert order[:2] == ["patrol/v1/c/cp/k-07/state", "patrol/v1/c/u/sos"], "only the birth before"
    assert order.count("owntracks/c/u") == 200
    await here.stop()


async def test_what_was_under_way_when_the_line_broke_goes_behind_a_new_sos(
    outbox: Outbox, county: Mosquitto
) -> None:
    link = await SlowLink(county.port, 64_000, 0.3).start()
    async with aiomqtt.Client("127.0.0.1", county.port) as consumer:
        await consumer.subscribe("#", qos=1)
        here = Here(outbox, link.port)
        await until(lambda: here.uplink.connected)
        await asyncio.gather(*(outbox.submit(event(seq)) for seq in range(100)))
        await until(lambda: len(here.answers) > 3)
        link.freeze()
        await outbox.accept(sos())
        link.cut()
        await until(lambda: not here.uplink.connected)
        link.thaw()
        answered = len(here.answers)
        await until(lambda: len(here.answers) > answered, 20)
        assert here.answers[answered].event.sos == SOS_ID
        await until(lambda: outbox.backlog().rows == 0, 20)
    assert here.changes[:3] == [True, False, True]
    await here.stop()
    await link.stop()


async def test_a_half_open_line_is_found(outbox: Outbox, county: Mosquitto) -> None:
    link = await SlowLink(county.port, 1e6, 0.02).start()
    here = Here(outbox, link.port, keepalive_s=3)
    await until(lambda: here.uplink.connected)
    link.freeze()
    await until(lambda: not here.uplink.connected, 9)
    await here.stop()
    await link.stop()


async def test_a_command_is_acknowledged_only_when_it_was_taken(
    outbox: Outbox, county: Mosquitto
) -> None:
    """What the disk refused is offered again at the next connection, in the kept session."""
    here = Here(outbox, county.port)
    here.uplink.listen({"patrol/v1/c/cp/k-07/cmd"})
    await until(lambda: here.uplink.connected)
    async with aiomqtt.Client("127.0.0.1", county.port) as sender:
        await asyncio.sleep(0.2)  # the subscription has its round trip to make
        await sender.publish("patrol/v1/c/cp/k-07/cmd", b"good", qos=1)
        await sender.publish("patrol/v1/c/cp/k-07/cmd", b"disk full", qos=1)
        await until(lambda: here.got)
        await asyncio.sleep(0.2)
    await here.stop()
    again = Here(outbox, county.port)
    taken: list[bytes] = []

    async def take(topic: str, payload: bytes, retained: bool) -> None:
        taken.append(payload)

    again.uplink._on_command = take
    await until(lambda: taken)
    assert taken == [b"disk full"]
    await again.stop()


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"url": "http://host"}, "mqtts://"),
        ({"url": "mqtt://county.example:1883"}, "encrypted"),
        ({"url": "mqtts://me:secret@host"}, "password"),
        ({"url": "mqtts://host"}, "CA"),
    ],
)
def test_a_wrong_uplink_is_said_in_one_sentence(more: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        UplinkConfig(**more)


async def test_a_command_that_breaks_a_room_ends_none_that_follow(
    outbox: Outbox, tmp_path: Path
) -> None:
    with Mosquitto(tmp_path / "mosquitto") as broker:
        here = Here(outbox, broker.port)
        here.uplink.listen({"x/cmd"})
        await until(lambda: here.uplink.connected)
        async with aiomqtt.Client("127.0.0.1", broker.port) as county:
            while not here.got:  # the subscription may still be on its way
                await county.publish("x/cmd", b"breaks a room", qos=1)
                await county.publish("x/cmd", b"good", qos=1)
                await asyncio.sleep(0.05)
        assert here.got[0] == ("x/cmd", b"good")
        await here.stop()
