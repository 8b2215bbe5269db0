"""The page joined to a whole agent: what a press sets in motion, and what the county orders."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from edge_agent import config
from edge_agent.app import Agent
from edge_agent.county.signer import Signer, keygen
from edge_agent.event import Event
from patrol_contract import messages, topics
from tests.edge_agent.desk.rig import PIN, until

C, K, LEAD = "c371500", "k-07", "王建国"
# A stand-in for aplay: what it was asked to play, and that it was let to the end.
PLAYER = """
import pathlib, sys, time
log = pathlib.Path(sys.argv[1])
file = pathlib.Path(sys.argv[3])
log.write_text(log.read_text() + f"{sys.argv[2]} {file.name} {file.read_bytes()!r}\\n")
time.sleep(0.3)
sys.exit(3 if "broken" in file.name else 0)
"""
TOML = """
[checkpoint]
id = "k-07"
county = "c371500"
data_dir = "data"

[commands]
keys = "keys/command-keys.json"

[clock]
rtc = true

[desk]
listen = "127.0.0.1:0"

[[output]]
id = "announce"
name = "平安小喇叭"
kind = "announce"
folder = "recordings"
device = "plughw:1,0"
pause_s = 0
player = ["{python}", "{player}", "{log}", "{{device}}", "{{file}}"]
"""


class Whole:
    """The agent without a county; `sent` is everything it committed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.sent = folder, []  # type: ignore[var-annotated]
        (folder / "recordings").mkdir()
        (folder / "recordings/fire.wav").write_bytes(b"RIFF")
        (folder / "recordings/broken.wav").write_bytes(b"?")
        (folder / "player.py").write_text(PLAYER)
        self.played = folder / "played"
        self.played.write_text("")
        keygen(folder / "keys", "county-1")
        self.signer = Signer.load(folder / "keys")
        (folder / "agent.toml").write_text(
            TOML.format(python=sys.executable, player=folder / "player.py", log=self.played)
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self.agent = Agent(config.load(self.folder / "agent.toml"))
        self.agent.outbox.watch(self._committed)
        running = asyncio.create_task(self.agent.run())
        try:
            await until(lambda: self.agent.desk.port or running.done())
            self.url = f"http://127.0.0.1:{self.agent.desk.port}"
            async with aiohttp.ClientSession(
                cookie_jar=aiohttp.CookieJar(unsafe=True)
            ) as self.http:
                yield
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    def _committed(self, event: Event) -> None:
        found = topics.parse(event.topic)
        assert found
        self.sent.append((found[0], messages.decode(found[0], event.payload)))

    def told(self, name: str) -> list[dict[str, Any]]:
        return [fields for sent, fields in self.sent if sent == name]

    async def enter(self) -> None:
        code = self.agent.desk.room.accounts.first_code
        assert await self.press("setup", code=code, name=LEAD, pin=PIN) == 200

    async def press(self, action: str, **body: Any) -> int:
        async with self.http.get(f"{self.url}/about.json") as about:
            csrf = (await about.json()).get("session", {}).get("csrf", "")
        sent = {"Origin": self.url, "X-Desk": csrf}
        async with self.http.post(f"{self.url}/do/{action}", json=body, headers=sent) as answer:
            return answer.status

    async def order(self, cmd: str, **own: Any) -> str:
        name, payload = self.signer.command(f"cp/{K}", cmd, **own)
        assert name == "cp_cmd"
        await self.agent.commands.receive(topics.topic("cp_cmd", C=C, K=K), payload, False)
        return json.loads(payload)["id"]

    def board(self, section: str) -> dict[str, Any]:
        return self.agent.board.view()[section]


@pytest.fixture
async def whole(tmp_path: Path) -> AsyncIterator[Whole]:
    made = Whole(tmp_path)
    async with made.running():
        await made.enter()
        yield made


async def eventually(holds: Callable[[], Any]) -> None:
    await until(holds, 15)


async def test_an_announcement_is_heard_out_and_recorded(whole: Whole) -> None:
    assert await whole.press("announce", file="fire.wav", times=2) == 200
    row = lambda: whole.board("sensor").get("announce", {})  # noqa: E731
    await eventually(lambda: row().get("value") == 1000)  # it plays, and the page says so
    assert LEAD in row()["text"] and "fire.wav" in row()["text"]
    await eventually(lambda: row().get("value") == 0)
    assert row()["quality"] == "good"
    assert whole.played.read_text() == "plughw:1,0 fire.wav b'RIFF'\n" * 2
    records = [(f["value"], f["quality"]) for f in whole.told("cp_sensor")]
    assert records[-2:] == [(1000, "good"), (0, "good")]
    log = await whole.agent.desk.room.journal.rows(0)
    assert (LEAD, "announce") in [(entry["who"], entry["what"]) for entry in log]


async def test_an_announcement_that_fails_says_so(whole: Whole) -> None:
    assert await whole.press("announce", file="broken.wav") == 200  # it began
    await eventually(lambda: whole.board("sensor").get("announce", {}).get("quality") == "fault")
    assert whole.told("cp_sensor")[-1]["why"]
    assert await whole.press("announce", file="nothing.wav") == 502
    assert whole.played.read_text().count("\n") == 1


async def test_the_county_lets_it_speak_too(whole: Whole) -> None:
    await whole.order("announce", file="fire.wav")
    await eventually(lambda: whole.played.read_text())
    assert whole.told("cp_ack")[-1]["state"] == "done"


async def test_a_roll_call_is_answered_with_who_is_on(whole: Whole) -> None:
    assert await whole.press("sign_on", name=LEAD, pin="000001") == 403
    assert await whole.press("sign_on", name=LEAD, pin=PIN) == 200
    order = await whole.order("rollcall", within_s=60)
    assert whole.board("order")[order]["within_s"] == 60
    assert await whole.press("answer", id=order) == 200
    assert whole.board("order") == {}
    ack, shift = whole.told("cp_ack")[-1], whole.told("cp_shift")[-1]
    assert (ack["id"], ack["state"], ack["who"]) == (order, "answered", LEAD)
    assert shift["rollcall"] == order and shift["on"][0]["who"] == LEAD
    assert await whole.press("answer", id=order) == 404


async def test_sealing_off_stays_until_the_county_lifts_it(whole: Whole) -> None:
    order = await whole.order("seal_off", why="嫌疑车辆", place="public")
    assert whole.board("order")[order]["place"] == "public"
    assert await whole.press("answer", id=order) == 200
    assert whole.board("seal")[order]["who"] == LEAD
    assert whole.told("cp_ack")[-1]["state"] == "answered"
    await whole.order("seal_off", why="解除", on=False)
    assert whole.board("seal") == {} and whole.told("cp_ack")[-1]["state"] == "done"


async def test_signing_off_wants_the_pin_of_who_leaves_or_the_leads(whole: Whole) -> None:
    assert await whole.press("account", name="李秀英", role="staff", pin="864201") == 200
    for name, pin in ((LEAD, PIN), ("李秀英", "864201")):
        assert await whole.press("sign_on", name=name, pin=pin) == 200
    assert await whole.press("sign_off", name="李秀英", pin=PIN) == 403  # not hers
    assert await whole.press("sign_off", name="李秀英", pin=PIN, lead=True) == 200
    assert await whole.press("sign_off", name=LEAD, pin=PIN) == 200
    assert whole.told("cp_shift")[-1]["unstaffed"]
    assert await whole.press("login", name="李秀英", pin="864201") == 200
    assert await whole.press("sign_on", name=LEAD, pin=PIN) == 200
    assert await whole.press("sign_off", name=LEAD, pin="864201", lead=True) == 403  # no lead
