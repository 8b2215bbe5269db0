"""The units' endpoint under those who mean it harm, or are broken: the others go on."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from edge_agent.outbox import Outbox
from edge_agent.units import rights
from edge_agent.units.config import UnitsConfig
from edge_agent.units.endpoint import UnitsEndpoint
from patrol_contract import messages, topics
from patrol_contract import mqtt_packets as mqtt
from patrol_contract.examples import EXAMPLES

C, U, MAD = "c371500", "u-0123", "u-0666"
CMD = f"patrol/v1/{C}/{U}/cmd"
YEARS = 10 * 31_557_600


class Place:
    """An endpoint whose clock can be set."""

    def __init__(self, folder: Path) -> None:
        self.wall = 1.8e9
        self.outbox = Outbox(folder / "outbox.db")
        self.endpoint = UnitsEndpoint(
            UnitsConfig(listen="127.0.0.1:0", most_connections=50, messages_per_s=50, burst=50),
            self.outbox,
            C,
            clock=lambda: self.wall,
            now=lambda: self.wall,
        )

    async def start(self) -> None:
        await self.outbox.open()
        self.task = asyncio.create_task(self.endpoint.run())
        await until(lambda: self.endpoint.address)

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.outbox.close()

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        assert self.endpoint.address is not None
        return await asyncio.open_connection(*self.endpoint.address)


async def until(condition: Any, seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what it waits for has no event
            await asyncio.sleep(0.01)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    here = Place(tmp_path)
    await here.start()
    yield here
    await here.stop()


class Unit:
    """A unit by hand: what it sends is whatever the test wants."""

    def __init__(self, place: Place, name: str = U) -> None:
        self.place, self.name = place, name
        self.got: list[Any] = []

    async def connect(self, clean: bool = True) -> Any:
        self._decoder = mqtt.Decoder(1 << 20, mqtt.V5)
        self.reader, self.writer = await self.place.connect()
        hello = mqtt.Connect(self.name, mqtt.V5, clean, 30, None, None, None, {0x11: 3600})
        self.send(mqtt.encode_connect(hello))
        return await self.packet(mqtt.Connack)

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def packet(self, kind: Any) -> Any:
        """The next packet of that kind; others are kept in `got`."""
        async with asyncio.timeout(10):
            while True:
                for index, packet in enumerate(self.got):
                    if isinstance(packet, kind):
                        return self.got.pop(index)
                data = await self.reader.read(65536)
                if not data:
                    raise ConnectionResetError
                self.got += self._decoder.feed(data)

    async def subscribe(self, pattern: str, options: int = 1) -> int:
        self.send(mqtt.encode_subscribe(mqtt.V5, 7, [(pattern, options)]))
        return (await self.packet(mqtt.Suback)).reasons[0]

    async def says(self, seq: int) -> int:
        payload = messages.encode("unit_mark", {**EXAMPLES["unit_mark"][1], "seq": seq})
        topic = topics.topic("unit_mark", C=C, U=self.name)
        self.send(mqtt.encode_publish(mqtt.V5, topic, payload, 1, seq))
        return (await self.packet(mqtt.Puback)).reason

    def close(self) -> None:
        self.writer.close()


async def test_a_thousand_silent_connections_keep_no_unit_out(place: Place) -> None:
    here = Unit(place, "u-0001")
    await here.connect()
    silent = [await place.connect() for _ in range(1000)]
    newcomer = Unit(place)
    assert (await newcomer.connect()).reason == 0
    assert await newcomer.says(1) == 0
    assert await here.says(1) == 0, "who was here stays"
    assert place.endpoint.counts["crowded out"] > 900
    for _, writer in silent:
        writer.close()


async def test_units_that_are_here_are_never_crowded_out(place: Place) -> None:
    units = [Unit(place, f"u-{n:04d}") for n in range(50)]
    for unit in units:
        await unit.connect()
    with pytest.raises(ConnectionError):
        await Unit(place, "u-0999").connect()
    assert len(place.endpoint.here()) == 50


@pytest.mark.parametrize("length", [1000, 15_000, 60_000])
async def test_huge_topics_cost_nothing_lasting(place: Place, length: int) -> None:
    mad = Unit(place, MAD)
    await mad.connect()
    rights._parsed.cache_clear()
    for n in range(20):
        with contextlib.suppress(ConnectionError):
            if mad.writer.is_closing() or mad.reader.at_eof():
                await mad.connect()
            mad.send(mqtt.encode_publish(mqtt.V5, f"{n:02d}" + "x" * length, b"{}", 1, n + 1))
            await mad.packet(mqtt.Puback)
    with contextlib.suppress(ConnectionError):
        assert await mad.subscribe("patrol/v1/" + "x" * length) >= 0x80
    assert rights._parsed.cache_info().currsize == 0
    good = Unit(place)
    await good.connect()
    assert await good.says(1) == 0


async def test_a_slow_reader_is_bounded_and_the_others_get_theirs(place: Place) -> None:
    slow, good = Unit(place), Unit(place, "u-0001")
    for unit in (slow, good):
        await unit.connect()
        assert await unit.subscribe(f"patrol/v1/{C}/g/all/cmd", 0) == 0
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    payload = b"x" * 8000
    for n in range(1, 4001):  # 32 MB for one that reads nothing
        await place.endpoint.deliver(f"patrol/v1/{C}/g/all/cmd", payload)
        if n % 4 == 0:
            await good.packet(mqtt.Publish)
            good.got.clear()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 2_000_000
    assert await good.says(1) == 0


async def test_every_request_costs_a_token(place: Place) -> None:
    mad, good = Unit(place, MAD), Unit(place)
    await mad.connect()
    await good.connect()
    for n in range(500):
        mad.send(mqtt.encode_subscribe(mqtt.V5, n + 1, [(f"patrol/v1/{C}/{MAD}/cmd", 1)]))
    async with asyncio.timeout(1):
        for seq in range(1, 21):
            assert await good.says(seq) == 0
    await until(lambda: place.endpoint.counts["throttled"])
    assert place.outbox.store.commits < 200, "it could not make the disk busy"


async def test_a_takeover_while_commands_are_under_way_loses_none(place: Place) -> None:
    first = Unit(place)
    await first.connect(clean=False)
    assert await first.subscribe(CMD) == 1
    for n in range(40):  # more than may be under way at once
        await place.endpoint.deliver(CMD, b"%d" % n)
    got = {(await first.packet(mqtt.Publish)).payload for _ in range(3)}
    second = Unit(place)
    assert (await second.connect(clean=False)).session_present
    seen: list[bytes] = []
    while len(seen) < 40:
        packet = await second.packet(mqtt.Publish)
        assert packet.dup or packet.payload not in got
        seen.append(packet.payload)
        second.send(mqtt.encode_puback(mqtt.V5, packet.packet_id))
    assert seen == [b"%d" % n for n in range(40)], "in order, each once"
    third = Unit(place)
    await until(lambda: not place.endpoint.down.waiting(U))
    assert (await third.connect(clean=True)).session_present is False


@pytest.mark.parametrize("jump", [YEARS, -YEARS])
async def test_a_clock_set_by_years_forgets_no_session(place: Place, jump: int) -> None:
    unit = Unit(place)
    await unit.connect(clean=False)
    await unit.subscribe(CMD)
    unit.close()
    await until(lambda: place.endpoint.here() == [])
    await place.endpoint.deliver(CMD, b"one")
    place.wall += jump
    await asyncio.sleep(1.2)  # the endpoint sweeps once a second
    assert (await unit.connect(clean=False)).session_present
    assert (await unit.packet(mqtt.Publish)).payload == b"one"


async def test_a_restart_with_a_wrong_clock_forgets_no_session(tmp_path: Path) -> None:
    before = Place(tmp_path)
    await before.start()
    unit = Unit(before)
    await unit.connect(clean=False)
    await unit.subscribe(CMD)
    await before.endpoint.deliver(CMD, b"one")
    await unit.packet(mqtt.Publish)
    unit.close()
    await before.stop()
    after = Place(tmp_path)
    after.wall += YEARS
    await after.start()
    unit = Unit(after)
    assert (await unit.connect(clean=False)).session_present
    packet = await unit.packet(mqtt.Publish)
    assert packet.payload == b"one" and packet.dup
    await after.stop()


async def test_a_will_is_forgotten_only_once_it_is_accepted(place: Place) -> None:
    fields = {**EXAMPLES["unit_state"][1], "seq": 0, "online": False}
    topic = topics.topic("unit_state", C=C, U=U)
    will = mqtt.Will(topic, messages.encode("unit_state", fields), 1, True, {})
    reader, writer = await place.connect()
    writer.write(mqtt.encode_connect(mqtt.Connect(U, mqtt.V5, True, 30, None, None, will, {})))
    await reader.read(100)
    real, order = place.outbox.recovery.apply, list[str]()

    def note(batch: Any) -> str | None:
        with sqlite3.connect(place.outbox.store.path) as db:
            (wills,) = db.execute("SELECT count(*) FROM will").fetchone()
        order.extend("accepted" for _ in batch.inserts if wills)
        return real(batch)

    place.outbox.recovery.apply = note
    writer.close()
    await until(lambda: order)
    assert order == ["accepted"], "it was still kept when it was accepted"

    def kept() -> int:
        with sqlite3.connect(place.outbox.store.path) as db:
            return int(db.execute("SELECT count(*) FROM will").fetchone()[0])

    await until(lambda: kept() == 0)
