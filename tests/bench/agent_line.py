"""The county line: an SOS over a slow one, a half-open one, a broker that never acknowledges, and
mosquitto's bridge on the same slow line.

The slow line is 64 kbit/s with a round trip of 300 ms (tests/fakes/slow_link.py), and at least
1,000 records are queued all the time. An SOS is timed from `submit` to the county's PUBACK.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.event import Event, Klass
from edge_agent.outbox import Outbox
from edge_agent.uplink import Uplink
from edge_agent.uplink_config import UplinkConfig
from edge_agent.uplink_flight import Answer
from edge_agent.uplink_window import OVERHEAD
from tests.bench.heart_process import no_commands
from tests.fakes.mosquitto import UNLIMITED, Mosquitto, free_port
from tests.fakes.mute_broker import MuteBroker
from tests.fakes.slow_link import SlowLink

ROOT = Path(__file__).parents[2]
RATE, RTT_S = 64_000.0, 0.3
QUEUED = 1000
RECORD = b"x" * 300
SETTLE_S = 5.0  # the queue drains so long before the first SOS
LOCATION, SOS_TOPIC = "owntracks/c371500/u-0123", "patrol/v1/c371500/u-0123/sos"


def record(seq: int) -> Event:
    boot = "0123456789abcdef"
    return Event(LOCATION, RECORD, Klass.TELEMETRY, "u-0123", boot, seq, at=time.time())


def sos(seq: int) -> Event:
    boot, number = "fedcba9876543210", f"{seq:016x}"
    return Event(
        SOS_TOPIC, RECORD, Klass.SOS, "u-0123", boot, seq, sos=number, state="raised",
        at=time.time(),
    )  # fmt: skip


def percentiles(seconds: list[float]) -> dict[str, int]:
    """p50 and p99 in ms."""
    ranked = sorted(seconds)
    return {
        "p50": round(ranked[len(ranked) // 2] * 1000),
        "p99": round(ranked[min(len(ranked) - 1, int(len(ranked) * 0.99))] * 1000),
        "n": len(ranked),
    }


@contextlib.asynccontextmanager
async def uplink_to(port: int, folder: Path) -> AsyncIterator[tuple[Outbox, Uplink]]:
    """An outbox and an uplink that is connected."""
    outbox = Outbox(folder / "outbox.db")
    await outbox.open()
    uplink = Uplink(
        [UplinkConfig(url=f"mqtt://127.0.0.1:{port}", mqtt="5")],
        outbox,
        no_commands,
        client_id=folder.name,
        state=lambda online, session: (f"patrol/v1/c371500/cp/{folder.name}/state", b"{}"),
    )
    up = asyncio.Event()
    uplink.on_change(lambda reached: up.set() if reached else None)
    task = asyncio.create_task(uplink.run())
    try:
        await asyncio.wait_for(up.wait(), 20)
        yield outbox, uplink
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await outbox.close()


# -- SOS over the slow line ------------------------------------------------------------------------


async def sos_times(port: int, folder: Path, n: int) -> dict[str, Any]:
    """n SOSs over a slow line of their own: seconds each, and the share of the line's time that
    bulk had, TCP/IP headers included."""
    link = await SlowLink(port, RATE, RTT_S).start()
    times: list[float] = []
    seq = 0
    async with uplink_to(link.port, folder) as (outbox, uplink):

        def fill() -> None:
            nonlocal seq
            while outbox.backlog().rows + len(waiting) < QUEUED:
                seq += 1
                future = outbox.submit(record(seq))
                waiting.add(future)
                future.add_done_callback(waiting.discard)

        waiting: set[asyncio.Future[None]] = set()
        answered: dict[str, asyncio.Future[None]] = {}

        def heard(answer: Answer) -> None:
            if answer.event.sos is not None:
                answered[answer.event.sos].set_result(None)

        uplink.on_answer(heard)
        fill()
        await asyncio.sleep(SETTLE_S)
        began, occupied = time.monotonic(), link.occupied
        for number in range(1, n + 1):
            fill()
            event = sos(number)
            answered[f"{number:016x}"] = asyncio.get_running_loop().create_future()
            raised = time.perf_counter()
            outbox.submit(event)
            await answered[f"{number:016x}"]
            times.append(time.perf_counter() - raised)
            await asyncio.sleep(0.6 + 0.1 * (number % 7))  # bulk flows again in between
        took = time.monotonic() - began
        sos_s = (len(RECORD) + len(SOS_TOPIC) + OVERHEAD) * 8 / RATE
        bulk = link.occupied - occupied - n * sos_s
    await link.stop()
    return {"times": times, "share": bulk / took}


async def sos_bench(folder: Path, n: int, lines: int = 3) -> dict[str, Any]:
    """n SOSs over several slow lines at once, each with an agent in a process of its own."""
    with Mosquitto(folder / "county") as county:
        listener = _listen(county.port)
        runs = await asyncio.gather(
            *(_process(county.port, folder / f"line-{i}", -(-n // lines)) for i in range(lines))
        )
        listener.disconnect()
        listener.loop_stop()
    times = [one for run in runs for one in run["times"]]
    share = sum(run["share"] for run in runs) / lines
    return {"sos_ms": percentiles(times), "bulk_link_share": round(share, 3)}


async def _process(port: int, folder: Path, n: int) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.agent_line", str(port), str(folder), str(n),
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{ROOT}/firmware:{ROOT}"},
    )  # fmt: skip
    out, _ = await process.communicate()
    return json.loads(out)


def _listen(port: int) -> paho.Client:
    """A county client that takes everything: without one an SOS is answered 0x10."""
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_connect = lambda *_: client.subscribe("#", 1)
    client.connect("127.0.0.1", port)
    client.loop_start()
    return client


async def bridge_sos_ms(folder: Path) -> int:
    """One SOS behind 1,000 records in mosquitto's bridge, over the same slow line; ms."""
    with Mosquitto(folder / "county") as county:
        link = await SlowLink(county.port, RATE, RTT_S).start()
        port = free_port()
        bridge = (
            f"listener {port} 127.0.0.1\nallow_anonymous true\n{UNLIMITED}"
            f"connection county\naddress 127.0.0.1:{link.port}\ntopic # out 1\n"
            "notifications false\n"
        )
        arrived = threading.Event()
        listener = paho.Client(CallbackAPIVersion.VERSION2)
        listener.on_connect = lambda *_: listener.subscribe(SOS_TOPIC, 1)
        listener.on_message = lambda *_: arrived.set()
        listener.connect("127.0.0.1", county.port)
        listener.loop_start()
        with Mosquitto(folder / "bridge", bridge, port):
            await asyncio.sleep(2)  # until the bridge is connected
            unit = paho.Client(CallbackAPIVersion.VERSION2)
            unit.connect("127.0.0.1", port)
            unit.loop_start()
            for _ in range(QUEUED):
                unit.publish(LOCATION, RECORD, 1)
            raised = time.perf_counter()
            unit.publish(SOS_TOPIC, RECORD, 1)
            if not await asyncio.to_thread(arrived.wait, 120):
                raise TimeoutError("the bridge did not deliver the SOS within 120 s")
            took = time.perf_counter() - raised
            unit.disconnect()
            unit.loop_stop()
        listener.disconnect()
        listener.loop_stop()
        await link.stop()
    return round(took * 1000)


# -- faults of the line ----------------------------------------------------------------------------


async def half_open_detect_s(folder: Path) -> float:
    """Seconds from an idle line's silent death until the uplink says that it is down."""
    with Mosquitto(folder / "county") as county:
        link = await SlowLink(county.port, 10e6, 0.02).start()
        async with uplink_to(link.port, folder / "half-open") as (_, uplink):
            lost = asyncio.Event()
            uplink.on_change(lambda reached: None if reached else lost.set())
            await asyncio.sleep(1)
            link.freeze()
            frozen = time.monotonic()
            await asyncio.wait_for(lost.wait(), 60)
            took = time.monotonic() - frozen
            link.thaw()
        await link.stop()
    return round(took, 1)


async def never_ack(folder: Path, seconds: float) -> dict[str, Any]:
    """A broker that never acknowledges: how many records are deleted all the same."""
    broker = await MuteBroker().start()
    async with uplink_to(broker.port, folder / "mute") as (outbox, _):
        for seq in range(1, 201):
            await outbox.accept(record(seq))
        await outbox.accept(sos(1))
        await asyncio.sleep(seconds)
        left = outbox.backlog().rows
    await broker.stop()
    return {
        "seconds": round(seconds),
        "deleted": 201 - left,
        "sent": broker.ignored,
        "connections": broker.connections,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(sos_times(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))))
