"""A desk with a real outbox, alarm and browser; the county, the units and the outputs are played.

Run everything in one loop: `async with Rig(folder) as rig, browser() as chromium: …`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from edge_agent.alarm_room import AlarmConfig, AlarmRoom
from edge_agent.board import Board
from edge_agent.clock import since_boot
from edge_agent.desk.config import DeskConfig
from edge_agent.desk.rights import Refused
from edge_agent.desk.room import About, DeskRoom, Hands
from edge_agent.desk.server import Desk
from edge_agent.event import Event, Klass
from edge_agent.outbox import Outbox
from edge_agent.reporter import Reporter
from edge_agent.section import Address
from patrol_contract import messages, topics

C, K = "c371500", "k-07"
HERE = (364561200, 1159853400)  # 1e-7 degree
PIN = "270419"
LEAD, STAFF, TECHNICIAN, AUDITOR = "王建国", "李秀英", "赵工", "孙审"
PHONES = [{"name": "县大队值班室", "number": "0635 000 0000"}]
CHROMIUM = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
PLACES = {
    "villages": [
        {"name": "十里铺村", "lat": 36.4601, "lon": 115.9790},
        {"name": "后王庄", "lat": 36.4528, "lon": 115.9921},
        {"name": "青石岭", "lat": 36.4475, "lon": 115.9768},
    ],
    "points": [
        {"desc": "变电站", "lat": 36.4585, "lon": 115.9895, "rad": 120, "place": "key"},
        {"desc": "小学东门", "lat": 36.4540, "lon": 115.9845, "rad": 80, "place": "public"},
        {"desc": "水塘", "lat": 36.4555, "lon": 115.9805, "rad": 60},
    ],
}
SENSORS = {
    "smoke": {"name": "配电箱烟感", "unit": "", "limits": {"on": True}},
    "supply": {"name": "直流电源", "unit": "V", "limits": {"low": 11000, "high": 15000}},
}
OUTPUTS = [
    {"id": "siren", "name": "警报器", "kind": "file", "files": []},
    {"id": "barrier", "name": "道闸", "kind": "barrier", "files": []},
]


async def until(holds: Callable[[], Any], within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "not within the time"
        await asyncio.sleep(0.01)


class Rig:
    """`port` 0 takes a free one; stop() and start() again is the agent's restart."""

    def __init__(self, folder: Path, port: int = 0, **config: Any) -> None:
        self.folder, self.port = folder, port
        (folder / "places.json").write_text(json.dumps(PLACES))
        self.config = {
            "places": folder / "places.json",
            "operation": [
                {"id": "spring", "name": "春季禁牧"},
                {"id": "night", "name": "夜间亮剑"},
            ],
            **config,
        }
        self.pressed: list[tuple[Any, ...]] = []
        self.committed_at: dict[str, float] = {}  # SOS id -> time.time() of its commit
        self.siren: list[bool] = []
        self.ahead_s = 0.0  # of the machine's count, by which the alarm waits
        self._seq = 0

    async def __aenter__(self) -> Rig:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self.board = Board()
        self.outbox = Outbox(self.folder / "outbox.db")
        await self.outbox.open()
        self.reporter = Reporter(C, K, self.outbox.accept)
        self.outbox.watch(self._committed)
        self.outbox.watch(self.board.observe)
        self.alarm = AlarmRoom(
            AlarmConfig.model_validate({"phones": PHONES}),
            self.outbox,
            self.board,
            set_siren=self._set_siren,
            ticks=lambda: since_boot() + self.ahead_s,
        )
        self.outbox.watch(self.alarm.observe)
        self.outbox.on_sos(self.alarm.received)
        hands = Hands(
            self._seen, self.alarm.mute, self._switch, self._announce, self._answer,
            self.reporter.report, self.reporter.boot,
        )  # fmt: skip
        about = About(K, "十里铺卡点", *HERE, PHONES, OUTPUTS, SENSORS)
        config = DeskConfig.model_validate(
            {"listen": Address("127.0.0.1", self.port), **self.config}
        )
        self.room = DeskRoom(config, self.board, about, hands, self.folder)
        self.outbox.watch(self.room.tracks.observe)
        self.outbox.watch(self.room.points.observe)
        self.outbox.watch(self.room.scene.observe)
        self.desk = Desk(self.room)
        self._tasks = [asyncio.create_task(room.run()) for room in (self.alarm, self.desk)]
        await until(lambda: self.desk.port or any(task.done() for task in self._tasks))
        self.port = self.desk.port
        self.board.put("uplink", "county", {"up": True, "since": time.time() - 4000, "backlog": 0})

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.room.close()
        await self.outbox.close()

    async def people(self) -> None:
        """One account of each role, all with PIN."""
        for name, role in (
            (LEAD, "lead"), (STAFF, "staff"), (TECHNICIAN, "technician"), (AUDITOR, "auditor"),
        ):  # fmt: skip
            await self.room.accounts.create(name, role, PIN)
        self.room.accounts.first_code = None

    # -- what is played ------------------------------------------------------------------------

    async def say(
        self, name: str, unit: str, fields: dict[str, Any], state: str = "", ago: float = 0
    ) -> Event:
        """A unit's record, through the outbox; `ago`: it came so many seconds before now."""
        self._seq += 1
        whole = {**fields, "v": 1, "boot": "00" * 8, "seq": self._seq}
        event = Event(
            topic=topics.topic(name, C=C, U=unit),
            payload=messages.encode(name, whole),
            klass=Klass(topics.klass_of(name, whole)),
            sender=unit,
            boot="00" * 8,
            seq=self._seq,
            sos=fields["id"] if name == "unit_sos" else None,
            state=state or None,
            at=time.time() - ago,
        )
        await self.outbox.accept(event)
        return event

    async def raise_sos(
        self,
        unit: str,
        sos: str,
        discreet: bool = False,
        at: tuple[int, int] | None = None,
        ago: float = 0,
    ) -> None:
        lat, lon = at or (HERE[0] - 27_000, HERE[1] + 41_000)
        await self.say(
            "unit_sos",
            unit,
            {
                "id": sos, "revision": 1, "state": "raised", "kind": "button",
                "discreet": discreet, "tst": int(time.time() - ago), "batt": 71,
                "fix": {"lat": lat, "lon": lon, "acc": 6, "age_s": 2},
            },
            "raised",
            ago,
        )  # fmt: skip

    async def walk(self, unit: str, lat: int, lon: int, tst: int | None = None) -> None:
        await self.say(
            "unit_location",
            unit,
            {
                "_type": "location", "lat": lat, "lon": lon, "acc": 5, "batt": 64,
                "tst": tst or int(time.time()),
            },
        )  # fmt: skip

    def _committed(self, event: Event) -> None:
        if event.sos:
            self.committed_at[event.sos] = time.time()

    async def _set_siren(self, on: bool) -> None:
        self.siren.append(on)

    async def _seen(self, sos: str, going: bool, who: str) -> None:
        if sos not in self.board.view()["sos"]:
            raise Refused("err_sos_closed")
        self.pressed.append(("seen", sos, going, who))
        self.alarm.seen(sos, who, going)

    async def _switch(self, output: str, on: bool, who: str) -> None:
        self.pressed.append(("output", output, on, who))
        self.board.put("sensor", output, {
            "kind": "output", "value": 1000 * on, "text": who, "quality": "good",
            "read": int(time.time()), "why": None,
        })  # fmt: skip

    async def _announce(self, file: str, times: int, who: str) -> None:
        self.pressed.append(("announce", file, times, who))

    async def _answer(self, order: str, who: str, why: str | None) -> None:
        if not self.board.get("order", order):
            raise LookupError(order)
        self.board.drop("order", order)
        self.pressed.append(("answer", order, who, why))


@contextlib.asynccontextmanager
async def browser(*more: str) -> AsyncGenerator[Browser]:
    async with async_playwright() as playwright:
        made = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", headless=True, args=[*CHROMIUM, *more]
        )
        try:
            yield made
        finally:
            await made.close()


async def opened(
    context: BrowserContext, url: str, name: str | None = None, pin: str = PIN
) -> Page:
    """The page, ready; logged in as `name`."""
    page = await context.new_page()
    await page.goto(url)
    await page.wait_for_selector("body[data-ready=true]")
    if name:
        await log_in(page, name, pin)
    return page


async def log_in(page: Page, name: str, pin: str = PIN) -> None:
    await page.select_option("#name", name)
    await page.fill("#login-pin", pin)
    await page.click(".login button.big")
    await page.wait_for_selector("#nav button")
