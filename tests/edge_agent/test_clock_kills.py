"""SIGKILL around the moment the time becomes known: every record is old and marked, or new.

The ledgers are the child's pipe and the county's consumer, both outside the process.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from patrol_contract import messages
from tests.edge_agent.clock_process import BEHIND
from tests.fakes.mosquitto import Mosquitto, free_port

ROOT = Path(__file__).parents[2]
KERNEL_BOOTS = 6
Key = tuple[str, int]  # boot, seq


class Child:
    """The process, and what it said was accepted."""

    def __init__(self, data: Path, county: int) -> None:
        self.data, self.county = data, county
        self.said: dict[Key, int] = {}

    async def run(self, kernel_boot: str, seconds: float, set_after: float | None = None) -> None:
        """Start it, set its clock so long after its first record, kill it `seconds` later."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.edge_agent.clock_process",
            str(self.data), str(self.county), kernel_boot, cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": f"{ROOT}/firmware:{ROOT}"},
        )  # fmt: skip
        assert process.stdout is not None
        first = await asyncio.wait_for(process.stdout.readline(), 30)
        if set_after is not None:
            await asyncio.sleep(set_after)
            (self.data / "set").touch()
        await asyncio.sleep(seconds)
        process.kill()
        for line in (first + await process.stdout.read()).split(b"\n")[:-1]:
            boot, seq, true = line.split()
            self.said[boot.decode(), int(seq)] = int(true)
        await process.wait()


def verdict(fields: dict[str, Any], true: int) -> str:
    """What became of a record made at `true`."""
    marked, moved = "unset_clock" in fields, fields.get("moved_s")
    if abs(fields["read"] - true) <= 2:
        return "moved" if marked and abs(moved - BEHIND) <= 2 else "set" if not marked else "wrong"
    if abs(fields["read"] + BEHIND - true) <= 2:
        return "old and marked" if marked and moved is None else "wrong"
    return "wrong"


async def test_killed_while_the_time_becomes_known(tmp_path: Path) -> None:
    chance = random.Random(5)
    port = free_port()
    child = Child(tmp_path, port)
    for n in range(KERNEL_BOOTS):  # an outage: nothing leaves
        kernel_boot = f"{n:032x}"
        (tmp_path / "set").unlink(missing_ok=True)
        await child.run(kernel_boot, 0.05)
        await child.run(kernel_boot, chance.uniform(0.0, 0.6), 0.05 if n % 3 else None)
    assert len(child.said) > 100
    got: dict[Key, dict[str, Any]] = {}
    lock = threading.Lock()

    def message(_client: object, _data: object, heard: paho.MQTTMessage) -> None:
        fields = messages.decode("cp_sensor", heard.payload)
        with lock:
            got.setdefault((fields["boot"], fields["seq"]), fields)

    with Mosquitto(tmp_path / "county", port=port):
        county = paho.Client(CallbackAPIVersion.VERSION2)
        county.on_message = message
        county.on_connect = lambda *_: county.subscribe("patrol/v1/+/cp/+/sensor/+", 1)
        county.connect("127.0.0.1", port)
        county.loop_start()
        (tmp_path / "set").unlink(missing_ok=True)
        deadline = time.monotonic() + 30
        while not child.said.keys() <= got.keys():
            assert time.monotonic() < deadline, "not all arrived"
            await child.run("f" * 32, 1.0)  # kills while they leave, too
        county.disconnect()
        county.loop_stop()
    found = Counter(verdict(got[key], true) for key, true in child.said.items())
    assert found["wrong"] == 0, found
    assert found["moved"] > 0 and found["old and marked"] > 0, found
