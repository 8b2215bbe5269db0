"""The whole agent on a disk that refuses: full, read-only, failing. It starts, says so, SOSs move,
everybody else keeps what he has; when the disk is well again so is the agent, and what could not be
recorded meanwhile is declared.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.event import Event, Klass
from edge_agent.outbox import Outbox
from edge_agent.outbox_record import StoreFault
from patrol_contract import messages, topics
from patrol_contract.examples import EXAMPLES
from tests.bench.heart_rig import CountyLedger
from tests.fakes.mosquitto import Mosquitto, free_port
from tests.fakes.unsynced_disk import UnsyncedDisk

ROOT = Path(__file__).parents[2]
C, K, U = "c371500", "k-07", "u-0123"
BUSY = 0x97
TOML = """
[checkpoint]
id = "{K}"
county = "{C}"
lat = 31.0
lon = 121.0
data_dir = "{data}"
[[uplink]]
url = "mqtt://127.0.0.1:{county}"
[units]
listen = "127.0.0.1:{units}"
[desk]
listen = "127.0.0.1:{desk}"
[clock]
rtc = true
[[sensor]]
id = "disk"
kind = "host"
what = "disk_free"
every_s = 1
heartbeat_s = 5
deadband = 0.0
"""


class Agent:
    """The process, a unit at its endpoint, and the county."""

    def __init__(self, folder: Path, data: Path, county: CountyLedger, port: int) -> None:
        self.folder, self.data, self.county = folder, data, county
        self.desk, self.units = free_port(), free_port()
        self.toml = folder / "agent.toml"
        self.toml.write_text(
            TOML.format(K=K, C=C, data=data, county=port, units=self.units, desk=self.desk)
        )
        self.seq = 0
        self.reasons: dict[int, int] = {}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with (self.folder / "agent.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "edge_agent.cli", "run", "-c", str(self.toml),
                cwd=ROOT, stdout=log, stderr=log,
                env={**os.environ, "PYTHONPATH": f"{ROOT}/firmware:{ROOT}"},
            )  # fmt: skip
        await self.until(lambda: self.state() is not None, 20)
        self.reasons.clear()
        self.unit = paho.Client(CallbackAPIVersion.VERSION2, client_id=U, protocol=paho.MQTTv5)
        self.unit.on_publish = self._published
        self.unit.connect("127.0.0.1", self.units)
        self.unit.loop_start()
        await self.until(self._reached, 20)

    async def stop(self) -> None:
        if self._process is not None:
            self.unit.disconnect()
            self.unit.loop_stop()
            self._process.terminate()
            await asyncio.wait_for(self._process.wait(), 20)
            self._process = None

    def _published(self, _c: Any, _u: Any, mid: int, reason: Any, _p: Any) -> None:
        self.reasons[mid] = reason.value

    async def says(self, name: str, **fields: Any) -> int:
        """The unit publishes; the PUBACK's reason."""
        self.seq += 1
        payload = messages.encode(name, {**EXAMPLES[name][1], "seq": self.seq, **fields})
        mid = self.unit.publish(topics.topic(name, C=C, U=U), payload, 1).mid
        await self.until(lambda: mid in self.reasons, 15)
        return self.reasons[mid]

    def state(self) -> dict[str, Any] | None:
        """What the page shows."""
        page = f"http://127.0.0.1:{self.desk}/state.json"
        with contextlib.suppress(OSError), urlopen(page, timeout=2) as answer:
            return json.load(answer)
        return None

    def _reached(self) -> bool:
        view = self.state()
        return view is not None and view["uplink"].get("county", {}).get("up", False)

    def fault(self) -> str:
        view = self.state()
        return "no page" if view is None else view["fault"].get("outbox", {}).get("why", "")

    async def until(self, holds: Callable[[], Any], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not await asyncio.to_thread(holds):
            assert time.monotonic() < deadline, (self.folder / "agent.log").read_text()[-3000:]
            await asyncio.sleep(0.05)

    # -- what must hold ------------------------------------------------------------------------

    async def refuses_all_but_sos(self, says: str) -> None:
        await self.until(lambda: says in self.fault(), 20)
        assert await self.says("unit_location") == BUSY, "the unit keeps it"
        number = f"{self.seq:016x}"
        for revision, state in enumerate(("raised", "updated", "cancelled"), 1):
            assert await self.says("unit_sos", id=number, revision=revision, state=state) == 0
        await self.until(lambda: self.seq in self._arrived(U), 10)

    async def is_well_again(self) -> None:
        """All works, and no number of the checkpoint's own is missing undeclared."""
        await self.until(lambda: not self.fault(), 20)
        assert await self.says("unit_location") == 0
        await self.until(lambda: self.seq in self._arrived(U), 10)
        view = await asyncio.to_thread(self.state)
        assert view is not None
        given = view["count"]["self"]
        holes: dict[Any, Any] = {(K, given["boot"]): given["assigned"]}
        await self.until(lambda: not self._lost(holes), 45)

    def _arrived(self, sender: str) -> set[int]:
        with self.county.lock:
            pairs = [
                pair
                for (who, _), seen in self.county.consumer.senders.items()
                if who == sender
                for pair in seen.pairs
            ]
        return {seq for low, high in pairs for seq in range(low, high + 1)}

    def _lost(self, assigned: dict[Any, Any]) -> Any:
        with self.county.lock:
            return self.county.consumer.lost(assigned)


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Callable[[Path], Agent]]:
    agents: list[Agent] = []
    with Mosquitto(tmp_path / "county") as broker:
        county = CountyLedger(broker.port)

        def make(data: Path) -> Agent:
            agents.append(Agent(tmp_path, data, county, broker.port))
            return agents[-1]

        yield make
        for agent in agents:
            await agent.stop()
        county.stop()


@pytest.fixture
def tmpfs(tmp_path: Path) -> Iterator[Path]:
    mounted = tmp_path / "small"
    mounted.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", mounted], check=True)
    yield mounted
    subprocess.run(["umount", "-l", mounted], check=True)


@pytest.fixture
def failing(tmp_path: Path) -> Iterator[UnsyncedDisk]:
    with UnsyncedDisk(tmp_path / "behind", tmp_path / "mounted") as disk:
        yield disk


def fill(folder: Path) -> Path:
    hog = folder / "hog"
    with hog.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return hog


async def remount(mounted: Path, how: str) -> None:
    done = await asyncio.create_subprocess_exec("mount", "-o", f"remount,{how}", mounted)
    assert await done.wait() == 0


async def test_it_starts_on_a_full_disk_and_takes_it_up_when_there_is_room(
    tmpfs: Path, made: Callable[[Path], Agent]
) -> None:
    hog = fill(tmpfs)
    agent = made(tmpfs)
    await agent.start()
    await agent.refuses_all_but_sos("the disk is full")
    hog.unlink()
    await agent.is_well_again()


async def test_a_disk_that_fills_up_meanwhile(tmpfs: Path, made: Callable[[Path], Agent]) -> None:
    agent = made(tmpfs)
    await agent.start()
    assert await agent.says("unit_location") == 0
    hog = tmpfs / "hog"
    deadline = time.monotonic() + 60
    while not agent.fault():  # its reserve is spent first, then old telemetry
        fill(tmpfs)
        await agent.says("unit_health")
        assert time.monotonic() < deadline
    await agent.refuses_all_but_sos("the disk is full")
    hog.unlink()
    await agent.is_well_again()


async def test_it_starts_on_a_disk_that_is_read_only(
    tmpfs: Path, made: Callable[[Path], Agent]
) -> None:
    agent = made(tmpfs)
    await agent.start()
    assert await agent.says("unit_location") == 0
    await agent.stop()
    await remount(tmpfs, "ro")
    await agent.start()
    await agent.refuses_all_but_sos("read-only")
    await remount(tmpfs, "rw")
    await agent.is_well_again()


@pytest.mark.parametrize(
    ("number", "says"),
    [(errno.EROFS, "outbox.db"), (errno.EIO, "reports an error"), (errno.ENOSPC, "is full")],
)
async def test_a_disk_that_fails_under_it(
    failing: UnsyncedDisk, made: Callable[[Path], Agent], number: int, says: str
) -> None:
    agent = made(failing.mounted)
    await agent.start()
    assert await agent.says("unit_location") == 0
    failing.refuse(number)
    await agent.refuses_all_but_sos(says)
    failing.refuse(0)
    await agent.is_well_again()


async def accepted(outbox: Outbox, event: Event) -> bool:
    try:
        await outbox.accept(event)
    except StoreFault:
        await asyncio.sleep(0.1)
        return False
    return True


def seqs(path: Path) -> list[int]:
    with contextlib.closing(sqlite3.connect(path)) as db:
        return [row[0] for row in db.execute("SELECT seq FROM record ORDER BY id")]


def as_a_power_cut_leaves_it(outbox: Path) -> None:
    """A copy beside it: the log not moved into the file, its index gone."""
    for suffix in ("", "-wal"):
        part = outbox.with_name(outbox.name + suffix)
        part.with_name(f"cut-{part.name}").write_bytes(part.read_bytes())


async def test_what_waited_in_a_file_that_is_read_only_now_still_leaves(tmpfs: Path) -> None:
    before = Outbox(tmpfs / "outbox.db")
    await before.open()
    boot = "0" * 16
    for seq in range(1, 4):
        sos = Event("t", b"{}", Klass.SOS, U, boot, seq, sos=f"{seq:016x}", state="raised")
        await before.accept(sos)
    await before.keep("alarm", b"open")
    as_a_power_cut_leaves_it(before.store.path)
    await before.close()
    for name in ("outbox.db", "outbox.db-wal"):
        (tmpfs / f"cut-{name}").rename(tmpfs / name)
    await remount(tmpfs, "ro")
    after = Outbox(tmpfs / "outbox.db")
    await after.open()
    assert after.fault is not None
    held = [after.next() for _ in range(4)]
    assert [one.event.seq for one in held if one is not None] == [1, 2, 3]
    assert await after.kept("alarm") == b"open"
    for one in held[:2]:
        assert one is not None
        after.done(one)
    await remount(tmpfs, "rw")
    deadline = time.monotonic() + 20
    while not await accepted(after, Event("t", b"{}", Klass.EVENT, U, boot, 9)):
        assert time.monotonic() < deadline
    while (rows := seqs(after.store.path)) != [3, 9]:  # what the county has is deleted then
        assert time.monotonic() < deadline, rows
        await asyncio.sleep(0.05)
    await after.close()
