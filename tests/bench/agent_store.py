"""The outbox alone and with its uplink: durable rate beside plain paho, power cuts on a disk that
forgets what was not synced, and three days of outage.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import sqlite3
import sys
import threading
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.event import Event, Klass
from edge_agent.outbox import Outbox
from edge_agent.uplink_flight import Answer
from tests.bench.agent_line import LOCATION, RECORD, record, uplink_to
from tests.fakes.mosquitto import Mosquitto
from tests.fakes.slow_link import SlowLink
from tests.fakes.unsynced_disk import UnsyncedDisk

ROOT = Path(__file__).parents[2]
IN_FLIGHT = 20  # paho's default window, and what its figure in ANCHORS stands for
SUBMITTED = 1000  # records between submit and commit at any time


async def python(*arguments: str) -> dict[str, Any]:
    """A step in a process of its own: its last line, parsed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.agent_store", *arguments,
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{ROOT}/firmware:{ROOT}"},
    )  # fmt: skip
    out, _ = await process.communicate()
    return json.loads(out.splitlines()[-1])


# -- rate ------------------------------------------------------------------------------------------


async def durable_rate(port: int, folder: Path, n: int) -> dict[str, Any]:
    """n records of 300 B: FULL commit, publish, PUBACK, delete; per second."""
    async with uplink_to(port, folder) as (outbox, uplink):
        room = asyncio.Semaphore(SUBMITTED)
        left, finished = n, asyncio.Event()

        def answered(_: Answer) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                finished.set()

        uplink.on_answer(answered)
        began, commits = time.perf_counter(), outbox.store.commits
        for seq in range(1, n + 1):
            await room.acquire()
            outbox.submit(record(seq)).add_done_callback(lambda _: room.release())
        await finished.wait()
        took = time.perf_counter() - began
        while outbox.backlog().rows:  # noqa: ASYNC110 - the last deletes linger
            await asyncio.sleep(0.01)
        return {"per_s": n / took, "commits": outbox.store.commits - commits}


def paho_rate(port: int, n: int, protocol: int) -> float:
    """Plain paho, QoS 1, 300 B, 20 in flight, nothing durable; per second."""
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=protocol)
    client.max_inflight_messages_set(IN_FLIGHT)
    room, finished, acked = threading.Semaphore(IN_FLIGHT), threading.Event(), 0

    def published(*_: Any) -> None:
        nonlocal acked
        acked += 1
        room.release()
        if acked == n:
            finished.set()

    client.on_publish = published
    client.connect("127.0.0.1", port)
    client.loop_start()
    began = time.perf_counter()
    for _ in range(n):
        room.acquire()
        client.publish(LOCATION, RECORD, 1)
    finished.wait()
    took = time.perf_counter() - began
    client.disconnect()
    client.loop_stop()
    return n / took


async def rate_bench(folder: Path, n: int, rounds: int = 5) -> dict[str, Any]:
    """All by turns, each in a process of its own, medians; fsyncs counted by the FUSE disk.

    Both sides speak MQTT 5, the uplink's own; paho over 3.1.1 (less to decode) stands beside.
    """
    ours: list[float] = []
    plain: list[float] = []
    plain_311: list[float] = []
    with Mosquitto(folder / "county") as county:
        port = str(county.port)
        for i in range(rounds):
            ours.append((await python("durable", port, str(folder / f"d{i}"), str(n)))["per_s"])
            plain.append((await python("paho", port, "-", str(n)))["per_s"])
            plain_311.append((await python("paho311", port, "-", str(n)))["per_s"])
        with UnsyncedDisk(folder / "behind", folder / "mounted") as disk:
            before = disk.fsyncs
            await python("durable", port, str(disk.mounted), str(n))
            fsyncs = disk.fsyncs - before
    durable, paho_s = sorted(ours)[rounds // 2], sorted(plain)[rounds // 2]
    return {
        "durable_e2e_per_s": round(durable),
        "paho_qos1_per_s": round(paho_s),
        "paho_qos1_mqtt311_per_s": round(sorted(plain_311)[rounds // 2]),
        "durable_to_paho": round(durable / paho_s, 3),
        "fsyncs_per_1000": round(fsyncs * 1000 / n, 1),
    }


async def idle_latency_ms(folder: Path, n: int = 200) -> float:
    """Median ms of one record's acceptance when there is no other."""
    outbox = Outbox(folder / "idle" / "outbox.db")
    await outbox.open()
    times: list[float] = []
    for seq in range(1, n + 1):
        began = time.perf_counter()
        await outbox.accept(record(seq))
        times.append(time.perf_counter() - began)
        await asyncio.sleep(0.002)
    await outbox.close()
    return round(sorted(times)[n // 2] * 1000, 2)


# -- power cuts ------------------------------------------------------------------------------------


async def accept_for_ever(folder: Path, first: int) -> None:
    """To be killed: say each record's number, `first` on, once accepted; eight at a time."""
    outbox = Outbox(folder / "outbox.db")
    await outbox.open()

    async def stream(seq: int) -> None:
        while True:
            await outbox.accept(record(seq))
            os.write(1, b"%d\n" % seq)
            seq += 8

    await asyncio.gather(*(stream(first + lane) for lane in range(8)))


async def unsynced_writes(folder: Path, cuts: int) -> dict[str, int]:
    """Cut the power of disk and agent at random moments; what was accepted must be there."""
    chance = random.Random(cuts)
    accepted: set[int] = set()
    with UnsyncedDisk(folder / "behind", folder / "mounted") as disk:
        for cut in range(cuts):  # numbers never come twice: a lost one could hide behind another
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.bench.agent_store", "accept", "-",
                str(disk.mounted), str(cut * 1_000_000 + 1), cwd=ROOT,
                stdout=asyncio.subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": f"{ROOT}/firmware:{ROOT}"},
            )  # fmt: skip
            assert process.stdout is not None
            accepted.add(int(await asyncio.wait_for(process.stdout.readline(), 30)))
            await asyncio.sleep(chance.uniform(0.0, 0.4))
            disk.cut()
            process.kill()
            said = (await process.stdout.read()).split(b"\n")[:-1]
            accepted |= {int(line) for line in said}
            await process.wait()
            disk.mount()
        with contextlib.closing(sqlite3.connect(disk.mounted / "outbox.db")) as db:
            there = {row[0] for row in db.execute("SELECT seq FROM record")}
            (sound,) = db.execute("PRAGMA quick_check").fetchone()
    assert sound == "ok", sound
    return {"cuts": cuts, "accepted": len(accepted), "lost": len(accepted - there)}


# -- outage ----------------------------------------------------------------------------------------

# What a checkpoint says in 72 h: (topic, class, records). Units walk 10 h a night and say where
# they are every 20 s; sensors every minute; eight bays take three cameras a day of twelve files
# each, four custody events a file.
SAYS = (
    ("owntracks/c371500/u-{:04d}", Klass.TELEMETRY, 20, 3 * 10 * 180),
    ("patrol/v1/c371500/u-{:04d}/health", Klass.TELEMETRY, 20, 3 * 10 * 12),
    ("owntracks/c371500/u-{:04d}/event", Klass.EVENT, 20, 3 * 40),
    ("patrol/v1/c371500/cp/k-07/sensor/s-{:04d}", Klass.TELEMETRY, 12, 72 * 60),
    ("patrol/v1/c371500/cp/k-07/dock/{}", Klass.SOS, 8, 3 * 3 * 12 * 4),
)


async def fill(folder: Path, scale: float) -> dict[str, Any]:
    """Queue an outage's records."""
    outbox = Outbox(folder / "outbox.db")
    await outbox.open()
    room = asyncio.Semaphore(5000)
    seq = 0
    for topic, klass, senders, each in SAYS:
        for n in range(round(each * scale)):
            for sender in range(1, senders + 1):
                seq += 1
                await room.acquire()
                event = Event(
                    topic.format(sender), RECORD, klass, f"u-{sender:04d}", f"{n % 3:016x}", seq,
                    at=time.time(),
                )  # fmt: skip
                outbox.submit(event).add_done_callback(lambda _: room.release())
    while outbox.backlog().rows < seq:  # noqa: ASYNC110 - until the last commit
        await asyncio.sleep(0.01)
    await outbox.close()
    return {"records": seq, "disk_mb": disk_mb(folder)}


def disk_mb(folder: Path) -> float:
    """What the outbox takes, its reserve included."""
    return sum(path.stat().st_size for path in folder.glob("outbox.db*")) / 1e6


def rss_mb() -> float:
    """Resident memory of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise OSError("/proc/self/status has no VmRSS")


async def drain(port: int, folder: Path, seconds: float) -> dict[str, Any]:
    """Open a full outbox and send until it is empty, at most so long; how fast it opened and what
    memory it took on the way."""
    began = time.perf_counter()
    outbox = Outbox(folder / "outbox.db")
    await outbox.open()
    await outbox.accept(record(1_000_000_000))
    restart = time.perf_counter() - began
    await outbox.close()
    memory: list[float] = []
    async with uplink_to(port, folder) as (outbox, _):
        began = time.monotonic()
        while time.monotonic() < began + seconds and outbox.backlog().rows:
            memory.append(rss_mb())
            await asyncio.sleep(0.5)
        took, left = time.monotonic() - began, outbox.backlog().rows
    quarter = memory[len(memory) // 4]
    return {
        "restart_s": round(restart, 3),
        "drain_s": round(took, 1),
        "left": left,
        "memory_mb": round(memory[-1], 1),
        "memory_growth_mb": round(max(memory) - quarter, 1),
    }


async def outage(folder: Path, scale: float, rate: float, seconds: float) -> dict[str, Any]:
    """72 h of records (times `scale`), then drained to the last over `rate` bit/s, 60 ms."""
    (folder / "k-07").mkdir(parents=True)
    filled = await python("fill", "-", str(folder / "k-07"), str(scale))
    with Mosquitto(folder / "county") as county:
        link = await SlowLink(county.port, rate, 0.06).start()
        run = asyncio.create_task(
            python("drain", str(link.port), str(folder / "k-07"), str(seconds))
        )
        while link.carried < 200_000:  # noqa: ASYNC110 - until it flows
            await asyncio.sleep(0.05)
        began, occupied = time.monotonic(), link.occupied
        last, at = occupied, began
        while not run.done():
            await asyncio.sleep(0.1)
            if link.occupied > last:
                last, at = link.occupied, time.monotonic()
        drained = await run
        await link.stop()
    share = (last - occupied) / (at - began)
    return {
        "hours": round(72 * scale, 1),
        "records": filled["records"],
        "disk_mb": round(filled["disk_mb"], 1),
        "drain_link_share": round(share, 3),
        "sent": filled["records"] + 1 - drained["left"],
        **drained,
    }


async def step(name: str, port: str, folder: Path, number: float) -> dict[str, Any]:
    """One step as a process."""
    if name == "durable":
        return await durable_rate(int(port), folder, int(number))
    if name in ("paho", "paho311"):
        version = paho.MQTTv5 if name == "paho" else paho.MQTTv311
        return {"per_s": await asyncio.to_thread(paho_rate, int(port), int(number), version)}
    if name == "fill":
        return await fill(folder, number)
    if name == "drain":
        return await drain(int(port), folder, number)
    await accept_for_ever(folder, int(number))
    raise AssertionError


if __name__ == "__main__":
    what, to, where, count = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[-1]
    if what in ("fill", "accept"):
        to, where = "0", sys.argv[3]
    print(json.dumps(asyncio.run(step(what, to, Path(where), float(count)))))
