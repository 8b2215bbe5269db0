"""Stock clients at the units' endpoint: mosquitto_pub and _sub, paho, aiomqtt; 3.1.1 and 5."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from edge_agent.event import Event, Klass
from edge_agent.outbox import Outbox
from edge_agent.units.config import UnitsConfig
from edge_agent.units.endpoint import UnitsEndpoint
from patrol_contract import messages, topics
from patrol_contract.examples import EXAMPLES

C, U = "c371500", "u-0123"
MARK = topics.topic("unit_mark", C=C, U=U)


def mark(seq: int) -> bytes:
    return messages.encode("unit_mark", {**EXAMPLES["unit_mark"][1], "seq": seq})


class Place:
    """An endpoint with its outbox, and what was accepted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.accepted: list[Event] = []

    async def start(self) -> Place:
        self.outbox = Outbox(self.folder / "outbox.db")
        await self.outbox.open()
        self.outbox.watch(self.accepted.append)
        self.endpoint = UnitsEndpoint(UnitsConfig(listen="127.0.0.1:0"), self.outbox, C)
        self.task = asyncio.create_task(self.endpoint.run())
        await until(lambda: self.endpoint.address)
        return self

    @property
    def port(self) -> int:
        assert self.endpoint.address is not None
        return self.endpoint.address[1]

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.outbox.close()


async def until(condition, seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not within the time"
        await asyncio.sleep(0.01)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    here = await Place(tmp_path).start()
    yield here
    await here.stop()


async def run(*command: str, stdin: bytes = b"") -> tuple[int, bytes]:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(process.communicate(stdin), 10)
    assert process.returncode is not None
    return process.returncode, out


@pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])
async def test_mosquitto_pub(place: Place, version: str) -> None:
    command = ("mosquitto_pub", "-p", str(place.port), "-i", U, "-V", version, "-q", "1")
    code, out = await run(*command, "-t", MARK, "-m", mark(7).decode())
    assert (code, out) == (0, b"")
    assert [(e.topic, e.payload, e.klass, e.sender, e.seq) for e in place.accepted] == [
        (MARK, mark(7), Klass.EVENT, U, 7)
    ]


@pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])
async def test_mosquitto_sub_gets_what_comes_down(place: Place, version: str) -> None:
    topic = topics.topic("unit_cmd", C=C, U=U)
    listener = asyncio.create_task(
        run(
            "mosquitto_sub",
            "-p",
            str(place.port),
            "-i",
            U,
            "-V",
            version,
            "-q",
            "1",
            "-t",
            topic,
            "-C",
            "1",
            "-F",
            "%t %q %p",
        )
    )
    await until(lambda: U in place.endpoint.here() and place.endpoint.filters(U))
    assert await place.endpoint.deliver(topic, b'{"x":1}') == [U]
    assert (await listener) == (0, f'{topic} 1 {{"x":1}}\n'.encode())


@pytest.mark.parametrize("version", [aiomqtt.ProtocolVersion.V311, aiomqtt.ProtocolVersion.V5])
async def test_a_command_waits_for_a_unit_that_is_away(
    place: Place, version: aiomqtt.ProtocolVersion
) -> None:
    """Session, subscription and queued command are still there after the agent's restart."""
    topic = topics.topic("unit_cmd", C=C, U=U)
    more = {"clean_session": False}
    if version is aiomqtt.ProtocolVersion.V5:
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        forever = Properties(PacketTypes.CONNECT)
        forever.SessionExpiryInterval = 3600
        more = {"clean_start": False, "properties": forever}

    def client() -> aiomqtt.Client:
        return aiomqtt.Client("127.0.0.1", place.port, identifier=U, protocol=version, **more)

    async with client() as unit:
        await unit.subscribe(topic, qos=1)
    await until(lambda: not place.endpoint.here())
    await place.endpoint.deliver(topic, b"first")
    await place.endpoint.deliver(topic, b"second")
    await place.stop()
    await place.start()
    async with client() as unit:
        got = [(await anext(unit.messages)).payload for _ in range(2)]
    assert got == [b"first", b"second"]


async def test_malformed_is_quarantined_and_the_rest_goes_on(place: Place) -> None:
    async with aiomqtt.Client("127.0.0.1", place.port, identifier=U) as unit:
        await unit.publish(MARK, b'{"v":1,"boot":"nonsense"}', qos=1)
        await unit.publish(MARK, b"\xff\xfe", qos=1)
        await unit.publish(MARK, mark(1), qos=1)
    assert [event.seq for event in place.accepted] == [1]
    assert place.endpoint.counts["quarantined"] == 2
    rows = await place.outbox.do(
        lambda db: db.execute("SELECT client, why FROM quarantine").fetchall()
    )
    assert len(rows) == 2 and all(row[0] == U for row in rows)


async def test_another_units_topic_is_refused(place: Place) -> None:
    topic = topics.topic("unit_mark", C=C, U="u-0999")
    command = ("-p", str(place.port), "-i", U, "-q", "1", "-V")
    _, out = await run("mosquitto_pub", *command, "mqttv5", "-t", topic, "-m", mark(1).decode())
    assert b"Not authorized" in out
    code, _ = await run("mosquitto_pub", *command, "mqttv311", "-t", topic, "-m", "x")
    assert code != 0  # 3.1.1 has no reason in a PUBACK: the connection ends without one
    _, out = await run("mosquitto_sub", *command, "mqttv5", "-t", "patrol/v1/c371500/u-0999/#")
    assert b"denied" in out or b"Not authorized" in out
    assert place.accepted == []
    assert place.endpoint.counts["forbidden"] == 2


async def test_the_will_of_a_unit_that_vanishes(place: Place) -> None:
    state = topics.topic("unit_state", C=C, U=U)
    fields = {**EXAMPLES["unit_state"][1], "seq": 0, "online": False}
    will = aiomqtt.Will(state, messages.encode("unit_state", fields), 1, True)
    client = aiomqtt.Client("127.0.0.1", place.port, identifier=U, will=will)
    await client.__aenter__()
    client._client._sock.shutdown(2)  # no DISCONNECT: the line broke
    await until(lambda: place.accepted)
    (event,) = place.accepted
    assert (event.topic, event.retain, json.loads(event.payload)["online"]) == (state, True, False)
    await client.__aexit__(None, None, None)


async def test_the_puback_waits_for_the_commit(place: Place) -> None:
    """A disk that takes its time: what is not committed is not acknowledged."""
    real = place.outbox.recovery.apply

    def slow(batch: Any) -> str | None:
        time.sleep(0.3 if batch.inserts else 0)
        return real(batch)

    place.outbox.recovery.apply = slow  # type: ignore[method-assign]
    async with aiomqtt.Client("127.0.0.1", place.port, identifier=U) as unit:
        began = time.monotonic()
        await unit.publish(MARK, mark(1), qos=1)
        assert time.monotonic() - began >= 0.3
    with sqlite3.connect(place.folder / "outbox.db") as db:
        assert db.execute("SELECT seq FROM record").fetchall() == [(1,)]
