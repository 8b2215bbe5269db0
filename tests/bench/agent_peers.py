"""thingsboard-gateway 3.8.5's SQLite storage under the agent's faults, driven by itself.

Its class is taken from the wheel on PyPI into a throw-away folder. `put` returning True is its
acceptance; rows leave as its gateway service does it: publish, and when publish() itself reports no
error, event_pack_processing_done().
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.fakes.mute_broker import MuteBroker

ROOT = Path(__file__).parents[2]
WHEEL = "thingsboard-gateway==3.8.5"
PER_S = 200
ROWS = 50  # of the never-ack fault
READ_S = 10.0


def storage(folder: Path) -> Any:
    """Its storage class, on `folder`."""
    from thingsboard_gateway.storage.sqlite.sqlite_event_storage import (  # pyright: ignore
        SQLiteEventStorage,
    )

    log = logging.getLogger("storage")
    log.trace = log.debug  # type: ignore[attr-defined]  # its own extension of logging
    return SQLiteEventStorage({"data_file_path": f"{folder}/"}, log, threading.Event())


def put_for_ever(folder: Path) -> None:
    """To be killed: say each row once put() has accepted it."""
    store, number = storage(folder), 0
    while True:
        number += 1
        if store.put(json.dumps({"n": number})):
            os.write(1, b"%d\n" % number)
        time.sleep(1 / PER_S)


def never_acknowledged(folder: Path, port: int) -> dict[str, int]:
    """ROWS rows published to a broker that acknowledges nothing: how many are deleted."""
    store = storage(folder)
    for number in range(ROWS):
        store.put(json.dumps({"n": number}))
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    deadline, sent, acked = time.monotonic() + READ_S, 0, 0
    while sent < ROWS and time.monotonic() < deadline:
        pack = store.get_event_pack()
        infos = [client.publish("v1/gateway/telemetry", row, 1) for row in pack]
        if pack and all(info.rc == 0 for info in infos):
            store.event_pack_processing_done()
        sent += len(pack)
        acked += sum(info.is_published() for info in infos)
        time.sleep(0.1)
    return {"rows": ROWS, "deleted": ROWS - rows_left(folder), "pubacks": acked}


def rows_left(folder: Path) -> int:
    return len(numbers(folder))


def numbers(folder: Path) -> set[int]:
    """What is in its database."""
    with contextlib.closing(sqlite3.connect(folder / "data.db")) as db:
        return {json.loads(row[0])["n"] for row in db.execute("SELECT message FROM messages")}


async def thingsboard(folder: Path, kills: int) -> dict[str, Any]:
    """Both faults; {"skipped": why} where the wheel cannot be had."""
    library = folder / "library"
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(library)]
    got = await asyncio.to_thread(subprocess.run, [*install, WHEEL], capture_output=True, text=True)
    if got.returncode:
        return {"skipped": got.stderr.strip().splitlines()[-1][:200]}
    env = {**os.environ, "PYTHONPATH": f"{library}:{ROOT}/firmware:{ROOT}"}
    me = (sys.executable, "-m", "tests.bench.agent_peers")
    chance, lost, accepted = random.Random(kills), 0, 0
    for kill in range(kills):
        data = folder / f"kill-{kill}"
        data.mkdir()
        process = await asyncio.create_subprocess_exec(
            *me, "put", str(data), cwd=ROOT, env=env, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        await process.stdout.readline()
        await asyncio.sleep(chance.uniform(0.5, 1.5))
        process.kill()
        said = {1, *map(int, (await process.stdout.read()).split(b"\n")[:-1])}
        await process.wait()
        accepted += len(said)
        lost += len(said - numbers(data))
    broker = await MuteBroker().start()
    data = folder / "never-ack"
    data.mkdir()
    process = await asyncio.create_subprocess_exec(
        *me, "never-ack", str(data), str(broker.port), cwd=ROOT, env=env,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    await broker.stop()
    never = json.loads(out.splitlines()[-1])
    return {"kills": kills, "accepted": accepted, "lost": lost, "never_ack": never}


if __name__ == "__main__":
    if sys.argv[1] == "put":
        put_for_ever(Path(sys.argv[2]))
    print(json.dumps(never_acknowledged(Path(sys.argv[2]), int(sys.argv[3]))), flush=True)
    os._exit(0)  # its threads do not end by themselves
