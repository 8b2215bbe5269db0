"""The data flow on one screen.

sensors, docks, units --Event--> outbox --> uplink --> county
county --> uplink --> commands --> docks, outputs, units
outbox, alarm, rooms --> board --> desk
"""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from pathlib import Path

from edge_agent.alarm_room import AlarmRoom
from edge_agent.board import Board
from edge_agent.buses import Buses
from edge_agent.clock import Clock
from edge_agent.clock_room import ClockRoom
from edge_agent.commands import Commands, load_keys
from edge_agent.config import Config
from edge_agent.desk.joined import join
from edge_agent.docks.docks import Docks
from edge_agent.metrics import Metrics
from edge_agent.orders import Orders, passed
from edge_agent.outbox import Outbox
from edge_agent.outbox_gaps import Gaps
from edge_agent.outputs.room import Outputs
from edge_agent.presence import Presence
from edge_agent.refusals import Refusals
from edge_agent.reporter import Reporter
from edge_agent.restamp import Restamp
from edge_agent.section import Address
from edge_agent.sensors.room import Sensors
from edge_agent.supervise import supervise
from edge_agent.units.endpoint import UnitsEndpoint
from edge_agent.uplink import Uplink
from edge_agent.uplink_flight import Answer
from edge_agent.watchdog import Watchdog

VIEW_S = 0.5  # how often what has no event of its own is put on the board
LIVE_S = 60.0  # on a connection this old a message of the county is fresh


class CannotStart(Exception):
    """What is wrong outside the configuration file, in one sentence."""


class Agent:
    """Every room, made and connected; making it opens no port and starts nothing."""

    def __init__(self, config: Config, toml: Path | None = None) -> None:
        place = config.checkpoint
        county, checkpoint = place.county, place.id
        place.data_dir.mkdir(parents=True, exist_ok=True)
        self._toml = toml
        self.board = Board()
        self.outbox = Outbox(place.data_dir / "outbox.db")
        self.clock = Clock(config.clock.rtc)
        self.reporter = Reporter(
            county,
            checkpoint,
            self.outbox.accept,
            stamp=self.clock.stamp,
        )
        restamp = Restamp(self.clock.timeline, checkpoint)
        self.outbox.when = restamp.when
        self.buses = Buses(config.bus)
        self.sensors = Sensors(
            config.sensor,
            self.buses,
            self.reporter,
            on_fix=lambda fix: self.clock.said(fix.unix_s, "gps"),
        )
        self.outputs = Outputs(config.output, self.buses, self.reporter)
        self.docks = (
            Docks(
                config.docks,
                self.reporter,
                checkpoint=checkpoint,
                outputs=self.outputs,
                uplink_busy=lambda: (
                    self.uplink.status().connected and self.outbox.backlog().rows > 0
                ),
                fault=self.board.fault,
                clock_is_set=lambda: self.clock.now() is not None,
            )
            if config.docks
            else None
        )
        siren = config.alarm.siren
        self.alarm = AlarmRoom(
            config.alarm,
            self.outbox,
            self.board,
            set_siren=lambda on: self.outputs.set(siren, on, "SOS") if siren else _nothing(),
            follow=lambda units: self.commands.want("alarm", self.commands.follow(units)),
            boot=self.clock.boot,
        )
        self.units = (
            UnitsEndpoint(
                config.units,
                self.outbox,
                county,
                on_unit=lambda unit, here: self.board.put("unit", unit, {"here": here}),
                on_interest=self._interest,
                on_quarantine=self._quarantined,
                now=self.clock.now,
                stamp=self.clock.look,
            )
            if config.units
            else None
        )
        self.commands = Commands(
            load_keys(config.commands.keys) if config.commands else {},
            county,
            checkpoint,
            self.outbox,
            self.reporter.report,
            self.units.deliver if self.units else _nowhere,
            listen=self._listen,
            open_sos=self.alarm.open_ids,
            clock=self.clock.now,
            heard=self._county_time,
        )
        self.orders = Orders(
            self.commands,
            self.board,
            switch=self.outputs.set,
            confirm=self.docks.confirm if self.docks else None,
            announce=self.outputs.announce,
            toml=toml,
            restart=lambda: signal.raise_signal(signal.SIGTERM),  # systemd starts it again
        )
        about = {"name": place.name or None, "lat": place.lat, "lon": place.lon}
        presence = Presence(
            self.reporter,
            self.outbox,
            version("patrol-hardware"),
            {key: value for key, value in about.items() if value is not None},
            clock=lambda: (self.clock.now(), self.clock.source),
            quarantined=lambda: self.board.get("count", "quarantined").get("n", 0),
        )
        self.uplink = Uplink(
            config.uplink,
            self.outbox,
            self.commands.receive,
            client_id=checkpoint,
            state=presence.state,
            outgoing=restamp,
        )
        self.gaps = Gaps(self.outbox, self.reporter, self.clock.moment)
        self.time = ClockRoom(self.clock, self.outbox, self.docks.told_time if self.docks else None)
        self.watchdog = Watchdog(self.outbox)
        self.metrics = (
            Metrics(
                config.metrics.listen,
                self.outbox,
                self.uplink,
                lambda: self.units.counts if self.units else {},
            )
            if config.metrics
            else None
        )
        self.desk = join(
            config,
            self.board,
            self.reporter,
            alarm=self.alarm,
            outputs=self.outputs,
            orders=self.orders,
            units=self.units,
        )
        self._connect()

    def _connect(self) -> None:
        """Who hears of what."""
        self.outbox.watch(self.board.observe)
        self.outbox.watch(self.alarm.observe)
        self.outbox.watch(self.desk.room.tracks.observe)
        self.outbox.watch(self.desk.room.scene.observe)
        self.outbox.watch(self.desk.room.points.observe)
        self.outbox.on_sos(self.alarm.received)
        self.uplink.on_change(self.alarm.county)
        self.uplink.on_change(self._passed)
        self.uplink.on_answer(self.alarm.answer)
        self.uplink.on_answer(self._sos_receipt)
        self.uplink.on_answer(Refusals(self.board.fault).answer)
        self.commands.on_order(self.alarm.ordered)
        self.commands.on_order(self.desk.room.scene.ordered)
        self.commands.on_waypoint(self.desk.room.points.county)

    async def run(self) -> None:
        """Until cancelled. Each room under its own supervision; the outbox is open around them."""
        await self.outbox.open()
        try:
            await self.time.load()
            await self.commands.load()
            self.uplink.listen(self.commands.filters())
            async with asyncio.TaskGroup() as group:
                for name, room in self._rooms().items():
                    group.create_task(supervise(name, room, self.board.fault), name=name)
        finally:
            self.desk.room.close()
            await self.outbox.close()

    def _rooms(self) -> dict[str, Callable[[], Awaitable[None]]]:
        rooms: dict[str, Callable[[], Awaitable[None]]] = {
            "uplink": self.uplink.run,
            "alarm": self.alarm.run,
            "desk": self.desk.run,
            "buses": self.buses.run,
            "sensors": self.sensors.run,
            "outputs": self.outputs.run,
            "gaps": self.gaps.run,
            "watchdog": self.watchdog.run,
            "clock": self.time.run,
            "view": self._view,
        }
        if self.units:
            rooms["units"] = self.units.run
        if self.docks:
            rooms["docks"] = self.docks.run
        if self.metrics:
            rooms["metrics"] = self.metrics.run
        return rooms

    async def _view(self) -> None:
        """What changes without an event: bays, the uplink, the numbers given so far."""
        while True:
            for bay in self.docks.view() if self.docks else ():
                self.board.put("bay", bay["bay"], bay)
            status, backlog = self.uplink.status(), self.outbox.backlog()
            self.board.put(
                "uplink",
                "county",
                {
                    "up": status.connected,
                    "since": status.since,
                    "why": status.fault,
                    "backlog": backlog.rows,
                    "oldest_at": backlog.oldest_at,
                    "drain_s": drain_s(backlog.bytes, status.rate),
                },
            )
            self.board.fault("outbox", self.outbox.fault)
            self.board.fault("outbox file", self.outbox.recovery.said)
            given = {"boot": self.reporter.boot, "assigned": self.reporter.seq}
            self.board.put("count", "self", given)
            await asyncio.sleep(VIEW_S)

    def _county_time(self, iat: int) -> None:
        """A signed message that came just now says when that is: better than no clock. One that
        waited at the county's broker says nothing of now; those come first on a connection."""
        if self.uplink.connected_s() > LIVE_S:
            self.clock.said(iat, "county")

    def _interest(self, filters: set[str]) -> None:
        self.commands.want("units", filters)

    def _listen(self, filters: set[str]) -> None:
        self.uplink.listen(filters)

    def _quarantined(self, unit: str, topic: str, why: str) -> None:
        """A unit sent what breaks the contract: kept aside, counted, shown."""
        n = self.board.get("count", "quarantined").get("n", 0) + 1
        self.board.put("count", "quarantined", {"n": n, "unit": unit, "topic": topic, "why": why})

    def _passed(self, up: bool) -> None:
        """The county is reached: a configuration that it sent stays."""
        if up and self._toml is not None:
            passed(self._toml)

    def _sos_receipt(self, answer: Answer) -> None:
        if answer.event.sos is not None and answer.heard:
            self.board.put("uplink", "county", {"sos_heard_at": time.time()})


def drain_s(waiting: int, rate: float) -> int | None:
    """Forecast until `waiting` bytes are at the county at `rate` bytes/s, in steps of 10 s."""
    return round(waiting / rate / 10) * 10 if rate > 0 else None


async def _nothing() -> None:
    """A checkpoint without a siren."""


async def _nowhere(*_: object, **__: object) -> None:
    """A checkpoint without an endpoint has no units to deliver to."""


def claim(name: str, address: Address) -> None:
    """Find out before anything starts whether `address` can be listened on. CannotStart if not."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        socket.create_server(tuple(address), family=family).close()
    except OSError as error:
        raise CannotStart(
            f"[{name}] listen = {address}: {error.strerror}："
            f"停掉占用它的程序，或换一个端口 / stop what uses it, or choose another port"
        ) from None


async def run(config: Config, toml: Path | None = None) -> None:
    """The whole agent until cancelled; CannotStart for what the configuration cannot know."""
    claim("desk", config.desk.listen)
    if config.units:
        claim("units", config.units.listen)
    try:
        agent = Agent(config, toml)
    except ValueError as error:  # command-keys.json or the page's places that are none
        raise CannotStart(str(error)) from None
    await agent.run()
