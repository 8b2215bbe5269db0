"""The page's server over a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from edge_agent.board import Board
from edge_agent.desk.config import DeskConfig
from edge_agent.desk.server import Desk
from edge_agent.section import Address


class Page:
    """A running desk, a browser's session on it, and what was pressed."""

    def __init__(self) -> None:
        self.board = Board()
        self.pressed: list[tuple[str, bool, str]] = []
        self.desk = Desk(DeskConfig(listen=Address("127.0.0.1", 0)), self.board, self.seen)
        self.http: aiohttp.ClientSession

    async def seen(self, sos: str, going: bool, who: str) -> str | None:
        self.pressed.append((sos, going, who))
        return None if sos == "open" else "没有这条求助 no such SOS"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.desk.port}"


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    made = Page()
    task = asyncio.create_task(made.desk.run())
    async with asyncio.timeout(10), aiohttp.ClientSession() as made.http:
        while not made.desk.port:
            await asyncio.sleep(0.01)
        yield made
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def event(stream: aiohttp.StreamReader) -> tuple[str, object]:
    while not (line := (await stream.readline()).decode()).startswith("event: "):
        pass
    data = (await stream.readline()).decode().removeprefix("data: ")
    return line.removeprefix("event: ").strip(), json.loads(data)


async def test_a_page_gets_all_of_it_then_each_change(page: Page) -> None:
    page.board.put("bay", "bay-1", {"state": "EMPTY"})
    async with page.http.get(f"{page.url}/events") as answer:
        kind, view = await event(answer.content)
        assert kind == "view" and isinstance(view, dict)
        assert view["bay"]["bay-1"]["state"] == "EMPTY"
        page.board.put("bay", "bay-1", {"state": "COPYING"})
        assert await event(answer.content) == ("change", ["bay", "bay-1", {"state": "COPYING"}])


async def test_the_page_needs_nothing_from_elsewhere(page: Page) -> None:
    async with page.http.get(page.url) as answer:
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        text = await answer.text()
    assert "http://" not in text and "https://" not in text


async def test_a_press_counts_only_from_our_own_page(page: Page) -> None:
    body = json.dumps({"sos": "open", "going": True, "who": "李"})
    own = {"Origin": page.url, "Content-Type": "application/json"}
    for headers in (
        {**own, "Origin": "http://evil.example"},
        {**own, "Content-Type": "text/plain"},
    ):
        async with page.http.post(f"{page.url}/seen", data=body, headers=headers) as answer:
            assert answer.status == 403
    assert page.pressed == []
    async with page.http.post(f"{page.url}/seen", data=body, headers=own) as answer:
        assert answer.status == 200
    assert page.pressed == [("open", True, "李")]


async def test_a_wrong_press_is_told_why(page: Page) -> None:
    own = {"Origin": page.url, "Content-Type": "application/json"}
    for body, status in (("{", 400), ("[]", 400), ('{"sos":1,"going":1,"who":1}', 400)):
        async with page.http.post(f"{page.url}/seen", data=body, headers=own) as answer:
            assert answer.status == status
    body = json.dumps({"sos": "gone", "going": False, "who": ""})
    async with page.http.post(f"{page.url}/seen", data=body, headers=own) as answer:
        assert answer.status == 409 and "no such SOS" in (await answer.json())["error"]


async def test_a_name_pointed_at_us_is_refused(page: Page) -> None:
    async with page.http.get(f"{page.url}/state.json", headers={"Host": "evil.example"}) as answer:
        assert answer.status == 400
