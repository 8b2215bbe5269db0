"""The units' endpoint under stock clients and under packets that no client sends."""

from __future__ import annotations

import asyncio
import contextlib
import random
import subprocess
from pathlib import Path
from typing import Any

import aiomqtt
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.outbox import Outbox
from edge_agent.units.config import UnitsConfig
from edge_agent.units.endpoint import UnitsEndpoint
from patrol_contract import messages, topics
from patrol_contract import mqtt_packets as mqtt
from patrol_contract.examples import EXAMPLES

COUNTY, UNIT = "c371500", "u-0123"
MARK = topics.topic("unit_mark", C=COUNTY, U=UNIT)
PAYLOAD = messages.encode("unit_mark", EXAMPLES["unit_mark"][1])
HOSTILE = "u-0666"
PER_CONNECTION = 20  # fuzzed packets on one connection, while it lives


async def command(*words: str) -> bool:
    process = await asyncio.create_subprocess_exec(*words, stderr=subprocess.DEVNULL)
    return await asyncio.wait_for(process.wait(), 10) == 0


def by_mosquitto(version: str):
    return lambda port: command(
        "mosquitto_pub", "-p", str(port), "-i", UNIT, "-V", version, "-q", "1",
        "-t", MARK, "-m", PAYLOAD.decode(),
    )  # fmt: skip


def by_paho(protocol: int):
    def publish(port: int) -> bool:
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=UNIT, protocol=protocol)
        client.connect("127.0.0.1", port)
        client.loop_start()
        info = client.publish(MARK, PAYLOAD, 1)
        info.wait_for_publish(5)
        client.disconnect()
        client.loop_stop()
        return info.is_published()

    return lambda port: asyncio.to_thread(publish, port)


def by_aiomqtt(protocol: aiomqtt.ProtocolVersion):
    async def publish(port: int) -> bool:
        async with aiomqtt.Client("127.0.0.1", port, identifier=UNIT, protocol=protocol) as unit:
            await unit.publish(MARK, PAYLOAD, qos=1)
        return True

    return publish


CLIENTS = {
    "mosquitto_pub 3.1.1": by_mosquitto("mqttv311"),
    "mosquitto_pub 5": by_mosquitto("mqttv5"),
    "paho 3.1.1": by_paho(paho.MQTTv311),
    "paho 5": by_paho(paho.MQTTv5),
    "aiomqtt 3.1.1": by_aiomqtt(aiomqtt.ProtocolVersion.V311),
    "aiomqtt 5": by_aiomqtt(aiomqtt.ProtocolVersion.V5),
}


def sane(chance: random.Random, version: int) -> bytes:
    """A good packet of any kind a client may send."""
    kind = chance.randrange(6)
    packet_id = chance.randrange(1, 65536)
    if kind == 0:
        return mqtt.encode_publish(version, MARK, PAYLOAD, chance.randrange(2), packet_id)
    if kind == 1:
        return mqtt.encode_subscribe(version, packet_id, [(f"patrol/v1/{COUNTY}/{HOSTILE}/#", 1)])
    if kind == 2:
        return mqtt.encode_unsubscribe(version, packet_id, ["patrol/v1/x"])
    if kind == 3:
        return mqtt.encode_puback(version, packet_id)
    if kind == 4:
        return mqtt.encode_publish(version, f"owntracks/{COUNTY}/{HOSTILE}", b"{}", 1, packet_id)
    return mqtt.encode_pingreq()


def fuzzed(chance: random.Random, version: int) -> bytes:
    """A good packet with some bytes changed, cut, doubled, or noise alone."""
    data = bytearray(sane(chance, version))
    how = chance.randrange(5)
    if how == 0:
        for _ in range(chance.randrange(1, 5)):
            data[chance.randrange(len(data))] = chance.randrange(256)
    elif how == 1:
        data = data[: chance.randrange(1, len(data) + 1)]
    elif how == 2:
        at = chance.randrange(len(data))
        data[at:at] = chance.randbytes(chance.randrange(1, 30))
    elif how == 3:
        data = bytearray(chance.randbytes(chance.randrange(1, 200)))
    return bytes(data)


async def fuzz_connection(port: int, chance: random.Random) -> int:
    """One connection with fuzzed packets until it is closed; returns how many were sent."""
    sent = 0
    with contextlib.suppress(OSError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        version = chance.choice((mqtt.V311, mqtt.V5))
        hello = mqtt.encode_connect(mqtt.Connect(HOSTILE, version, True, 30, None, None, None, {}))
        writer.write(hello if chance.random() < 0.8 else fuzzed(chance, version))
        for _ in range(PER_CONNECTION):
            if writer.is_closing():
                break
            writer.write(fuzzed(chance, version))
            await writer.drain()
            await asyncio.sleep(0.001)  # so that a packet after the connection's end is not counted
            sent += 1
        writer.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await reader.read(65536)
    return sent


async def endpoint_bench(folder: Path, packets: int) -> dict[str, Any]:
    """Every client before and after the fuzzing; a crash is a client that fails, an endpoint that
    ended, or an exception that nobody expected."""
    chance = random.Random(packets)
    outbox = Outbox(folder / "outbox.db")
    await outbox.open()
    endpoint = UnitsEndpoint(UnitsConfig(listen="127.0.0.1:0"), outbox, COUNTY)
    crashes: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: crashes.append(str(context.get("exception") or context["message"]))
    )
    server = asyncio.create_task(endpoint.run())
    while endpoint.address is None:  # noqa: ASYNC110 - once, at the start
        await asyncio.sleep(0.01)
    port = endpoint.address[1]
    sent = 0

    async def try_clients() -> None:
        for name, publish in CLIENTS.items():
            if not await publish(port):
                crashes.append(name)

    await try_clients()
    while sent < packets:
        sent += sum(await asyncio.gather(*(fuzz_connection(port, chance) for _ in range(8))))
    await try_clients()
    if server.done():
        crashes.append(f"the endpoint ended: {server}")
    server.cancel()
    await asyncio.gather(server, return_exceptions=True)
    await outbox.close()
    return {
        "clients_tried": len(CLIENTS),
        "packets_fuzzed": sent,
        "crashes": len(crashes),
        "why": sorted(set(crashes))[:5],
    }
