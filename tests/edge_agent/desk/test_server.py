"""The page's server over a real socket: who gets what, who may press what."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from edge_agent.desk.actions import ACTIONS, GUESTS
from edge_agent.desk.rights import PUBLIC_SECTIONS, RIGHTS
from edge_agent.desk.server import STATIC
from tests.edge_agent.desk.rig import AUDITOR, LEAD, PIN, STAFF, TECHNICIAN, Rig

SOS = "1" * 16
# A well-formed request of each action, for the wrong-role attempts.
ASKED = {
    "pin": {"old": PIN, "new": "864201"},
    "seen": {"sos": SOS, "going": False},
    "mute": {},
    "output": {"id": "siren", "on": True},
    "announce": {"file": "a.wav"},
    "answer": {"id": SOS},
    "sign_on": {"name": STAFF, "pin": PIN},
    "sign_off": {"name": STAFF, "pin": PIN},
    "hand_over": {},
    "check": {"id": SOS, "what": "person", "outcome": "pass"},
    "undo": {"id": SOS},
    "account": {"name": "新", "role": "lead", "pin": PIN},
    "account_off": {"name": STAFF},
}


class Hand:
    """A browser's session: cookie, Origin and token as the page sends them."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self.csrf = ""

    async def get(self, path: str) -> tuple[int, str]:
        async with self.http.get(self.rig.url + path) as answer:
            return answer.status, await answer.text()

    async def press(self, action: str, body: object, **headers: str) -> tuple[int, dict]:
        sent = {"Origin": self.rig.url, "Content-Type": "application/json", "X-Desk": self.csrf}
        data = body if isinstance(body, str) else json.dumps(body)
        url = f"{self.rig.url}/do/{action}"
        async with self.http.post(url, data=data, headers={**sent, **headers}) as answer:
            return answer.status, json.loads(await answer.text() or "{}")

    async def enter(self, name: str) -> None:
        assert (await self.press("login", {"name": name, "pin": PIN}))[0] == 200
        self.csrf = json.loads((await self.get("/about.json"))[1])["session"]["csrf"]


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with Rig(tmp_path) as made:
        await made.people()
        yield made


@pytest.fixture
async def hand(rig: Rig) -> AsyncIterator[Hand]:
    made = Hand(rig)
    yield made
    await made.http.close()


async def frames(stream: aiohttp.StreamReader) -> AsyncIterator[tuple[str, object]]:
    while True:
        line = (await stream.readline()).decode()
        if line.startswith("event: "):
            data = (await stream.readline()).decode().removeprefix("data: ")
            yield line.removeprefix("event: ").strip(), json.loads(data)


async def test_a_page_gets_all_of_it_then_each_change(rig: Rig, hand: Hand) -> None:
    await hand.enter(STAFF)
    rig.board.put("bay", "bay-1", {"state": "EMPTY"})
    async with hand.http.get(f"{rig.url}/events") as answer:
        stream = frames(answer.content)
        kind, view = await anext(stream)
        assert kind == "view" and isinstance(view, dict)
        assert view["bay"]["bay-1"]["state"] == "EMPTY"
        rig.board.put("bay", "bay-1", {"state": "COPYING"})
        async for kind, change in stream:
            if kind == "change":
                assert change == ["bay", "bay-1", {"state": "COPYING"}]
                break


async def test_a_locked_page_gets_the_sos_and_nothing_private(rig: Rig, hand: Hand) -> None:
    await hand.enter(STAFF)
    rig.board.put("unit", "u-0001", {"lat": 1})
    async with hand.http.get(f"{rig.url}/events") as answer:
        stream = frames(answer.content)
        await anext(stream)
        await hand.press("lock", {})
        rig.board.put("unit", "u-0001", {"lat": 2})
        view = None
        async for kind, data in stream:
            if kind == "view":
                view = data
                break
        assert isinstance(view, dict) and view["unit"] == {} and view["check"] == {}
        rig.board.put("unit", "u-0001", {"lat": 3})
        await rig.raise_sos("u-0001", SOS)
        seen = []
        async for kind, change in stream:
            if kind == "change":
                seen.append(change[0])
                if change[0] == "sos":
                    break
        assert "unit" not in seen
    assert (await hand.press("check", ASKED["check"]))[0] == 423
    assert (await hand.get("/log.json"))[0] == 423
    assert (await hand.press("seen", ASKED["seen"]))[0] == 200


async def test_nobody_at_the_screen_sees_only_what_is_public(rig: Rig, hand: Hand) -> None:
    rig.board.put("unit", "u-0001", {"lat": 1})
    rig.board.put("fault", "x", {"why": "y"})
    view = json.loads((await hand.get("/state.json"))[1])
    assert {section for section, rows in view.items() if rows} <= PUBLIC_SECTIONS
    assert view["fault"]
    for path in ("/tracks.json", "/sheet.json", "/log.json", "/log.csv"):
        assert (await hand.get(path))[0] == 401, path
    for name, body in ASKED.items():
        if name not in GUESTS:
            assert (await hand.press(name, body))[0] == 401, name


async def test_whose_press_it_is_at_a_locked_screen(rig: Rig, hand: Hand) -> None:
    await rig.raise_sos("u-0001", SOS)
    assert (await hand.press("mute", {}))[1] == {"error": "err_name"}
    assert (await hand.press("mute", {"who": "没有这个人"}))[0] == 403
    assert (await hand.press("seen", {"sos": SOS, "going": True, "who": STAFF}))[0] == 200
    assert rig.pressed == [("seen", SOS, True, STAFF)]
    assert (await hand.press("mute", {"who": STAFF}))[0] == 200
    log = await rig.room.journal.rows(0)
    assert [(row["who"], row["what"]) for row in log if row["who"]][:2] == [
        (STAFF, "mute"),
        (STAFF, "going"),
    ]


async def test_wrong_roles_are_refused_and_logged(rig: Rig, hand: Hand) -> None:
    assert set(ASKED) | {"setup", "login", "logout", "lock", "touch"} == set(ACTIONS)
    for person, role in ((STAFF, "staff"), (TECHNICIAN, "technician"), (AUDITOR, "auditor")):
        await hand.enter(person)
        refused = [
            name
            for name in ASKED
            if role not in RIGHTS[ACTIONS[name].right or "self"] and name not in GUESTS
        ]
        assert refused
        for name in refused:
            assert await hand.press(name, ASKED[name]) == (403, {"error": "err_role"}), name
    assert rig.pressed == []
    assert (await hand.get("/log.csv"))[0] == 200  # the auditor's one right
    assert (await hand.get("/tracks.json"))[0] == 403
    rows = await rig.room.journal.rows(0)
    assert {"action": "output", "why": "err_role"} in [row["about"] for row in rows]


async def test_an_auditors_session_keeps_nobody_from_answering_an_sos(rig: Rig, hand: Hand) -> None:
    await rig.raise_sos("u-0001", SOS)
    await hand.enter(AUDITOR)
    assert (await hand.press("mute", {}))[1] == {"error": "err_name"}  # whose press is it?
    assert (await hand.press("seen", {"sos": SOS, "going": True, "who": STAFF}))[0] == 200
    assert rig.pressed == [("seen", SOS, True, STAFF)]


async def test_a_press_counts_only_from_our_own_page(rig: Rig, hand: Hand) -> None:
    await hand.enter(LEAD)
    asked = {"id": "siren", "on": True}
    for headers in (
        {"Origin": "http://evil.example"},
        {"Content-Type": "text/plain"},
        {"X-Desk": "0" * 64},
        {"X-Desk": ""},
    ):
        assert (await hand.press("output", asked, **headers))[0] == 403
    assert rig.pressed == []
    assert (await hand.press("output", asked))[0] == 200
    assert rig.pressed == [("output", "siren", True, LEAD)]


async def test_a_foreign_page_cannot_log_in_here(hand: Hand) -> None:
    asked = {"name": LEAD, "pin": PIN}
    assert (await hand.press("login", asked, Origin="http://evil.example"))[0] == 403


async def test_lockout_over_http(hand: Hand) -> None:
    for _ in range(5):
        assert (await hand.press("login", {"name": LEAD, "pin": "000001"}))[0] == 403
    assert await hand.press("login", {"name": LEAD, "pin": PIN}) == (
        429,
        {"error": "err_locked_out"},
    )


async def test_malformed_presses(hand: Hand) -> None:
    await hand.enter(LEAD)
    plate = {"id": SOS, "what": "vehicle", "outcome": "pass", "plate": "<b>"}
    for action, body in (
        ("seen", "{"),
        ("seen", []),
        ("seen", {"sos": 1, "going": 1}),
        ("output", {"id": "siren", "on": True, "more": 1}),
        ("check", plate),
    ):
        assert (await hand.press(action, body))[0] == 400
    assert (await hand.press("seen", "x" * 20_000))[0] == 413
    assert (await hand.press("nothing", {}))[0] == 404
    assert (await hand.press("seen", {"sos": "9" * 16, "going": True}))[0] == 409


async def test_the_first_start_prints_its_code_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with Rig(tmp_path) as rig:
        code = rig.room.accounts.first_code
        assert code and code in capsys.readouterr().out
        await rig.people()
        await rig.stop()
        await rig.start()
        assert rig.room.accounts.first_code is None and not capsys.readouterr().out


async def test_headers_and_nothing_from_elsewhere(rig: Rig, hand: Hand) -> None:
    async with hand.http.get(rig.url) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        text = await answer.text()
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|style=", text)
    for file in STATIC.iterdir():
        assert not re.search(r"https?://(?!www\.w3\.org/)", file.read_text()), file.name


async def test_the_cookie_is_for_http_only(rig: Rig) -> None:
    hand = Hand(rig)
    sent = {"Origin": rig.url, "Content-Type": "application/json"}
    body = json.dumps({"name": LEAD, "pin": PIN})
    async with hand.http.post(f"{rig.url}/do/login", data=body, headers=sent) as answer:
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie and "SameSite=strict" in cookie
        assert "token" not in await answer.text()
    await hand.http.close()


async def test_a_name_pointed_at_us_is_refused(rig: Rig, hand: Hand) -> None:
    headers = {"Host": "evil.example"}
    async with hand.http.get(f"{rig.url}/state.json", headers=headers) as answer:
        assert answer.status == 400
