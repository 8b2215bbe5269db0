"""Starts and ends the whole evening: broker, county, checkpoint agent, sensors, camera, two units.

The agent and the units are processes, as they would be on a Pi and on two ESP32s. Everything
listens on loopback and lives in one folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path
from string import Template
from typing import Any
from urllib.request import urlopen

import serial

from edge_agent.county.patrolctl import Asked, CountyConfig
from edge_agent.county.signer import Signer, keygen
from flashing import certs
from patrol_contract.intervals import Intervals
from tests.evening import feed, route
from tests.evening.broker import AnyBroker
from tests.evening.county import County
from tests.evening.link import Link
from tests.evening.parts import BARRIER, SMOKE, SUPPLY, Parts
from tests.fakes import routes
from tests.fakes.mosquitto import free_port
from tests.fakes.unit_process import UnitProcess

COUNTY, CHECKPOINT = "c371500", "k-07"
WALKER, VISITOR = "u-0001", "u-0002"  # the second walks past the checkpoint and joins its Wi-Fi
STATION, HERE = ("station", "station-password"), ("K07", "checkpoint-password")  # ssid, password


class World:
    """`async with World(...)`: everything runs inside; nothing is left running after it."""

    def __init__(self, folder: Path, broker: AnyBroker, out: Callable[[str], None]) -> None:
        self.folder, self.broker, self._out = folder, broker, out
        self.ids = folder / "ids"
        self.desk_port, self.units_port = free_port(), free_port()
        self.link = Link((broker.host, broker.port))
        self.ca: certs.Authority
        self.parts: Parts
        self.county: County
        self.units: dict[str, UnitProcess] = {}
        self.walks: dict[str, Iterator[bytes]] = {
            WALKER: feed.generated(route.VILLAGE_ROUND),
            VISITOR: feed.generated(route.PAST_THE_CHECKPOINT, routes.MOTORBIKE),
        }
        self.receiver: serial.Serial | None = None  # a real one: it feeds both units
        self._agent: subprocess.Popen[bytes] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self.agent_module = "edge_agent.cli"  # a control run puts a broken one here

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[World]:
        async with contextlib.AsyncExitStack() as ends:
            await self._start(ends)
            yield self

    async def _start(self, ends: contextlib.AsyncExitStack) -> None:
        signer = await asyncio.to_thread(self._identities)
        ends.push_async_callback(self.broker.stop)
        await self.broker.start()
        ends.push_async_callback(self.link.stop)
        await self.link.start()
        self.parts = ends.enter_context(Parts(self.folder))
        self.county = County(self._county_config(), signer, self._out)
        await self.county.start()
        ends.push_async_callback(self.county.stop)
        ends.push_async_callback(self.stop_agent)
        await self.start_agent()
        ends.push_async_callback(self._stop_units)
        for unit in (WALKER, VISITOR):
            self._start_unit(unit, signer)
        ends.push_async_callback(self._stop_tasks)
        self._feed()

    # --- identities ------------------------------------------------------------------------

    def _identities(self) -> Signer:
        """What flash.sh and the county's operator make once."""
        self.ids.mkdir(parents=True, exist_ok=True)
        self.ca = certs.make_ca(self.ids, COUNTY)
        local = ("localhost", "127.0.0.1")
        certs.issue(self.ca, CHECKPOINT, "checkpoint", local, self.ids)
        certs.issue(self.ca, "county", "county", local, self.ids)
        for unit in (WALKER, VISITOR):
            certs.issue(self.ca, unit, "unit", (), self.ids)
        keygen(self.folder / "county-keys", "county-1")
        return Signer.load(self.folder / "county-keys")

    def _county_config(self) -> CountyConfig:
        scheme = "mqtts" if self.broker.tls else "mqtt"
        return CountyConfig(
            broker=f"{scheme}://{self.broker.host}:{self.broker.port}",
            county=COUNTY,
            keys=self.folder / "county-keys",
            ca=self.ids / "ca.cert.pem",
            cert=self.ids / "county.cert.pem",
            key=self.ids / "county.key.pem",
        )

    # --- the agent -------------------------------------------------------------------------

    @property
    def desk(self) -> str:
        return f"http://127.0.0.1:{self.desk_port}"

    async def start_agent(self) -> None:
        """The agent as systemd would start it; returns once its page answers."""
        lat, lon = route.CHECKPOINT
        scheme = "mqtts" if self.broker.tls else "mqtt"
        tls = (
            f'ca = "ids/ca.cert.pem"\ncert = "ids/{CHECKPOINT}.cert.pem"\n'
            f'key = "ids/{CHECKPOINT}.key.pem"\n'
        )
        toml = Template((Path(__file__).parent / "agent.toml").read_text()).substitute(
            checkpoint=CHECKPOINT,
            county=COUNTY,
            lat=f"{lat // 10**7}.{lat % 10**7:07d}",
            lon=f"{lon // 10**7}.{lon % 10**7:07d}",
            url=f"{scheme}://127.0.0.1:{self.link.port}",
            tls=tls if self.broker.tls else "",
            folder=self.folder,
            units_port=self.units_port,
            desk_port=self.desk_port,
            barrier=BARRIER,
            smoke=SMOKE,
            supply=SUPPLY,
        )
        path = self.folder / "agent.toml"
        path.write_text(toml)
        self._agent = self._popen_agent(path)
        async with asyncio.timeout(20):
            while await self.state() is None:
                if self._agent.poll() is not None:
                    raise Asked((self.folder / "agent.log").read_text()[-2000:])
                await asyncio.sleep(0.1)

    def _popen_agent(self, config: Path) -> subprocess.Popen[bytes]:
        with (self.folder / "agent.log").open("ab") as log:
            command = [sys.executable, "-m", self.agent_module, "run", "-c", str(config)]
            return subprocess.Popen(command, stdout=log, stderr=log)

    async def kill_agent(self) -> None:
        """SIGKILL, as a power cut or the kernel's memory killer would."""
        assert self._agent is not None
        self._agent.kill()
        await asyncio.to_thread(self._agent.wait)

    async def stop_agent(self) -> None:
        if self._agent is not None and self._agent.poll() is None:
            self._agent.terminate()
            try:
                await asyncio.to_thread(self._agent.wait, 10)
            except subprocess.TimeoutExpired:
                self._agent.kill()
                raise

    async def state(self) -> dict[str, Any] | None:
        """What the staff's page shows, or None while it does not answer."""

        def get() -> dict[str, Any] | None:
            with contextlib.suppress(OSError), urlopen(f"{self.desk}/state.json", timeout=2) as a:
                return json.load(a)
            return None

        return await asyncio.to_thread(get)

    async def until(self, what: str, holds: Callable[[], bool], within_s: float) -> float:
        """Wait for `holds()`; when it first held (time.time()). TimeoutError names `what`."""
        deadline = time.monotonic() + within_s
        while not await asyncio.to_thread(holds):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what}: not within {within_s:.0f} s")
            await asyncio.sleep(0.02)
        return time.time()

    def siren_on(self) -> bool:
        path = self.folder / "siren"
        return path.exists() and path.read_text() == "on\n"

    # --- the units -------------------------------------------------------------------------

    def _start_unit(self, name: str, signer: Signer) -> None:
        unit = UnitProcess(self.folder / name, unit=name, county=COUNTY)
        unit.broker(
            "county", self.broker.host, self.broker.port, tls=self.broker.tls, name="localhost"
        )
        unit.broker("checkpoint", "127.0.0.1", self.units_port, tls=True, name="localhost")
        unit.wifi_known(*HERE, "checkpoint")
        unit.wifi_known(*STATION, "county")
        unit.identity(
            self.ca.cert_der,
            (self.ids / f"{name}.cert.der").read_bytes(),
            (self.ids / f"{name}.key.der").read_bytes(),
        )
        unit.county_key(signer.kid, signer.modulus)
        unit.battery(3950)
        unit.start()
        self.units[name] = unit
        unit.in_range(*(HERE if name == VISITOR else STATION))
        unit.charger(False)

    def _feed(self) -> None:
        if self.receiver is not None:
            units = list(self.units.values())
            self._tasks.append(asyncio.create_task(feed.relay(self.receiver, units)))
            return
        for name, seconds in self.walks.items():
            self._tasks.append(asyncio.create_task(feed.feed(self.units[name], seconds)))

    async def _stop_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        for ended in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended

    async def _stop_units(self) -> None:
        for unit in self.units.values():
            await asyncio.to_thread(unit.stop)

    # --- ledgers ---------------------------------------------------------------------------

    async def assigned(self) -> dict[tuple[str, str], Intervals]:
        """(sender, boot) -> the numbers it gave to records, from the senders' own ledgers."""
        given: dict[tuple[str, str], Intervals] = {}
        for name, unit in self.units.items():
            for boot, seq, _ in unit.ledger():
                given.setdefault((name, boot), Intervals()).add(seq)
        view = await self.state()
        assert view is not None
        own = view["count"]["self"]
        given[CHECKPOINT, own["boot"]] = Intervals([[1, own["assigned"]]])
        return given
