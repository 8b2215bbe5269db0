"""Endpoint, outbox, uplink and commands together, against real county brokers."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import aiomqtt
import iotcore
import pytest

from edge_agent.commands import Commands, Handler, Outcome, load_keys
from edge_agent.county.signer import Signer, keygen
from edge_agent.outbox import Outbox
from edge_agent.presence import Presence
from edge_agent.reporter import Reporter
from edge_agent.units.config import UnitsConfig
from edge_agent.units.endpoint import UnitsEndpoint
from edge_agent.uplink import Uplink
from edge_agent.uplink_config import UplinkConfig
from patrol_contract import consumer, messages, topics
from patrol_contract.examples import EXAMPLES
from tests.fakes.mosquitto import Mosquitto, free_port

C, K, U = "c371500", "k-07", "u-0123"


async def until(condition, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not within the time"
        await asyncio.sleep(0.01)


@pytest.fixture(params=["mosquitto", "rumqttd"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    if request.param == "mosquitto":
        with Mosquitto(tmp_path / "mosquitto") as there:
            yield there.port
    else:
        with iotcore.Broker(port=free_port(), listen="127.0.0.1") as there:
            yield there.port


@pytest.fixture(scope="session")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    folder = tmp_path_factory.mktemp("county")
    keygen(folder, "county-1")
    return Signer.load(folder)


class Heart:
    """The agent's heart as app.py wires it, and a county consumer beside it."""

    def __init__(self, folder: Path, port: int, signer: Signer) -> None:
        self.folder, self.port, self.signer = folder, port, signer
        self.county = consumer.Consumer()
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.done: list[dict[str, Any]] = []

    async def start(self) -> None:
        self.outbox = Outbox(self.folder / "outbox.db")
        await self.outbox.open()
        reporter = Reporter(C, K, self.outbox.accept)
        self.endpoint = UnitsEndpoint(
            UnitsConfig(listen="127.0.0.1:0"),
            self.outbox,
            C,
            on_interest=lambda filters: self.commands.want("units", filters),
        )
        self.commands = Commands(
            {self.signer.kid: self.signer.modulus},
            C,
            K,
            self.outbox,
            reporter.report,
            self.endpoint.deliver,
            listen=lambda filters: self.uplink.listen(filters),
        )
        self.commands.handlers["siren"] = Handler(self._siren)
        self.uplink = Uplink(
            [UplinkConfig(url=f"mqtt://127.0.0.1:{self.port}")],
            self.outbox,
            self.commands.receive,
            client_id=K,
            state=Presence(reporter, self.outbox, "test", {}).state,
        )
        await self.commands.load()
        self.uplink.listen(self.commands.filters())
        self.tasks = [asyncio.create_task(room.run()) for room in (self.endpoint, self.uplink)]
        await until(lambda: self.uplink.connected and self.endpoint.address)

    async def _siren(self, fields: Any) -> Outcome:
        self.done.append(dict(fields))
        return Outcome("done")

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.outbox.close()

    async def listen(self) -> None:
        """The county's consumer, until cancelled."""
        async with aiomqtt.Client("127.0.0.1", self.port) as client:
            for pattern in ("patrol/v1/#", "owntracks/#"):
                await client.subscribe(pattern, qos=1)
            self.listening.set()
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                verdict, name, _, fields = self.county.feed(
                    message.topic.value, message.payload, message.retain
                )
                if name is not None and verdict == consumer.NEW:
                    self.got.append((name, fields))

    def names(self) -> list[str]:
        return [name for name, _ in self.got]


@pytest.fixture
async def heart(tmp_path: Path, broker: int, signer: Signer) -> AsyncIterator[Heart]:
    here = Heart(tmp_path, broker, signer)
    here.listening = asyncio.Event()
    consumer_task = asyncio.create_task(here.listen())
    await asyncio.wait_for(here.listening.wait(), 5)
    await here.start()
    yield here
    await here.stop()
    consumer_task.cancel()
    await asyncio.gather(consumer_task, return_exceptions=True)


def unit_message(name: str, seq: int, **more: Any) -> tuple[str, bytes]:
    fields = {**EXAMPLES[name][1], "seq": seq, **more}
    return topics.topic(name, C=C, U=U), messages.encode(name, fields)


async def test_what_a_unit_says_arrives_unchanged(heart: Heart) -> None:
    sent = [unit_message("unit_location", n) for n in range(1, 101)]
    assert heart.endpoint.address is not None
    async with aiomqtt.Client(*heart.endpoint.address, identifier=U) as unit:
        for topic, payload in sent:
            await unit.publish(topic, payload, qos=1)
    await until(lambda: heart.names().count("unit_location") == 100)
    boot = EXAMPLES["unit_location"][1]["boot"]
    assert heart.county.lost({(U, boot): 100}) == {}
    await until(lambda: heart.outbox.backlog().rows == 0)


async def test_an_order_is_done_once_and_answered_over_a_restart(heart: Heart) -> None:
    name, payload = heart.signer.command(f"cp/{K}", "siren", on=True)
    topic = topics.topic(name, C=C, K=K)
    async with aiomqtt.Client("127.0.0.1", heart.port) as county:
        await county.publish(topic, payload, qos=1)
        await until(lambda: heart.names().count("cp_ack") == 2)
        await heart.stop()
        await heart.start()
        await county.publish(topic, payload, qos=1)  # the same again
        forged = json.loads(heart.signer.command(f"cp/{K}", "siren", on=True)[1])
        forged["on"] = False
        await county.publish(topic, json.dumps(forged).encode(), qos=1)
        await until(lambda: heart.names().count("cp_ack") == 4)
    states = [fields["state"] for name, fields in heart.got if name == "cp_ack"]
    assert states == ["received", "done", "done", "refused"]
    assert len(heart.done) == 1


async def test_commands_reach_the_units_that_are_here(heart: Heart) -> None:
    name, payload = heart.signer.command(U, "locate")
    topic = topics.topic(name, C=C, U=U)
    assert heart.endpoint.address is not None
    async with aiomqtt.Client(*heart.endpoint.address, identifier=U) as unit:
        await unit.subscribe(topic, qos=1)
        await until(lambda: topic in heart.commands.filters())
        async with aiomqtt.Client("127.0.0.1", heart.port) as county:
            # the subscription at the county has its round trip to make
            for _ in range(50):
                await county.publish(topic, payload, qos=1)
                try:
                    async with asyncio.timeout(0.2):
                        got = await anext(unit.messages)
                    break
                except TimeoutError:
                    continue
        assert (got.topic.value, got.payload) == (topic, payload)
    assert not any("u-0999" in pattern for pattern in heart.commands.filters())


def test_load_keys_says_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text('{"county-1": "00ff"}')
    with pytest.raises(ValueError, match="RSA-3072"):
        load_keys(tmp_path / "keys.json")


async def test_the_countys_points_come_and_are_offered_again_until_they_are_durable(
    heart: Heart,
) -> None:
    taken: list[Mapping[str, Any]] = []
    full = [OSError("no room")]

    async def take(fields: Mapping[str, Any]) -> None:
        if full:
            raise full.pop()
        taken.append(fields)

    heart.commands.on_waypoint(take)
    topic = topics.topic("points_waypoint", C=C)
    point = EXAMPLES["points_waypoint"][1]
    async with aiomqtt.Client("127.0.0.1", heart.port) as county:
        while full:  # the subscription takes a moment
            await county.publish(topic, messages.encode("points_waypoint", point), qos=1)
            await asyncio.sleep(0.05)
        named = messages.encode("points_waypoint", {**point, "desc": "变电站"})
        await county.publish(topic, named, qos=1)
        await county.publish(topic, b"{", qos=1)
        await until(lambda: any(fields["desc"] == "变电站" for fields in taken))
    assert taken[-1]["lat"] == point["lat"]
    await until(lambda: heart.commands.counts["malformed"] == 1)
