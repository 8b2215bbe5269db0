"""What goes wrong at night: nobody answers, nobody is there, nobody looks, the host is silent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from edge_agent.desk import shift
from tests.edge_agent.desk.rig import LEAD, PIN, STAFF, Rig, browser, opened, until
from tests.edge_agent.desk.scene import VIEWS
from tests.fakes.slow_link import SlowLink

SOS = "1" * 16
AUTOPLAY = "--autoplay-policy=no-user-gesture-required"
LINK = (1e9, 0.0)  # bit/s, s: as if it were not there


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with Rig(tmp_path) as made:
        await made.people()
        yield made


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with browser(AUTOPLAY) as made:
        yield made


async def page_of(chromium: Browser, url: str, name: str | None = LEAD) -> Page:
    page = await opened(await chromium.new_context(), url, name)
    page.set_default_timeout(8000)
    return page


async def show(page: Page, view: str) -> None:
    await page.click(f"#nav button:nth-child({VIEWS.index(view) + 1})")
    await page.wait_for_selector(f"body[data-view={view}]")


async def test_whom_to_phone_after_a_minute_without_an_answer(rig: Rig, chromium: Browser) -> None:
    page = await page_of(chromium, rig.url)
    rig.alarm.county(True)
    await rig.raise_sos("u-0001", SOS)
    began = time.time() - 57
    panel = page.locator("article.sos")
    await expect(panel).to_contain_text("等待应答")
    await expect(panel.locator(".phones")).to_be_hidden()
    rig.ahead_s = 57
    await expect(panel.locator(".phones")).to_contain_text("0635\u00a0000\u00a00000", timeout=10000)
    assert 60 <= time.time() - began < 65
    await expect(panel).to_contain_text("没有应答")
    await until(lambda: rig.siren[-1:] == [True])
    rig.alarm.ordered("unit_cmd", {"cmd": "help", "sos": SOS})
    await expect(panel.locator(".phones")).to_be_hidden()
    await until(lambda: rig.siren[-1:] == [False])


async def test_left_alone_it_locks_and_an_sos_is_still_shown(tmp_path: Path) -> None:
    async with Rig(tmp_path) as rig, browser(AUTOPLAY) as chromium:
        await rig.people()
        rig.room.accounts.idle_s = 2.0  # a minute is the least that agent.toml takes
        page = await page_of(chromium, rig.url, STAFF)
        await show(page, "units")
        await page.wait_for_selector(".login", timeout=15000)
        assert await page.locator(".card").count() == 0
        await rig.raise_sos("u-0001", SOS)
        await expect(page.locator("article.sos")).to_contain_text("u-0001")
        await page.wait_for_selector("html[data-sounding=alarm]")


async def test_a_host_that_falls_silent_is_said_and_comes_back(rig: Rig, chromium: Browser) -> None:
    """No connection ends: a cable, a switch, a machine that hangs."""
    link = await SlowLink(rig.port, *LINK).start()
    try:
        page = await page_of(chromium, f"http://127.0.0.1:{link.port}")
        link.freeze()
        await expect(page.locator("#stale")).to_contain_text("失去联系", timeout=30000)
        await rig.raise_sos("u-0001", SOS)
        link.thaw()
        await expect(page.locator("article.sos")).to_be_visible(timeout=30000)
        await expect(page.locator("#stale")).to_be_hidden(timeout=15000)
    finally:
        await link.stop()


async def test_an_unstaffed_checkpoint_is_said_and_sounds(
    tmp_path: Path, chromium: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shift, "LOOK_S", 0.1)
    async with Rig(tmp_path, unstaffed_min=1) as rig:
        await rig.people()
        page = await page_of(chromium, rig.url)
        await expect(page.locator(".note.alarm")).to_contain_text("无人签到")
        assert await page.evaluate("document.documentElement.dataset.sounding") == ""
        rig.room.shift.left -= 60  # a minute passes
        await page.wait_for_selector("html[data-sounding=call]")
        await rig.raise_sos("u-0001", SOS, discreet=True)
        await page.wait_for_selector("html[data-sounding='']")  # nothing sounds beside that one
        rig.alarm.ordered("unit_cmd", {"cmd": "sos_close", "sos": SOS})
        await page.wait_for_selector("html[data-sounding=call]")
        await show(page, "shift")
        await page.select_option("#shift-name", STAFF)
        await page.fill("#shift-pin", PIN)
        await page.get_by_role("button", name="签到", exact=True).click()
        await page.wait_for_selector("html[data-sounding='']")
        await expect(page.locator(".note.alarm")).to_have_count(0)
        rows = await rig.room.journal.rows(0)
        assert "unstaffed" in [row["what"] for row in rows]


async def test_what_happened_while_nobody_looked(rig: Rig, chromium: Browser) -> None:
    page = await page_of(chromium, rig.url)
    ago = time.time() - 3600
    await page.evaluate("(at) => localStorage.setItem('looked_at', at)", str(ago))
    rig.board.put("sensor", "smoke", {"alarm": "on"})
    rig.board.put("uplink", "county", {"up": False, "since": time.time()})
    await rig.raise_sos("u-0001", SOS)
    await expect(page.locator("article.sos")).to_be_visible()
    rig.alarm.ordered("unit_cmd", {"cmd": "sos_close", "sos": SOS})
    await expect(page.locator("article.sos")).to_have_count(0)
    await page.reload()
    await page.wait_for_selector("body[data-ready=true]")
    await show(page, "shift")
    story = page.locator(".two .story")
    for words in ("配电箱烟感 报警", "县平台断开", "u-0001 求助", "u-0001 的求助已结束"):
        await expect(story).to_contain_text(words)
    assert "登录" not in await story.inner_text()  # the auditor's


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (
            {"up": False, "since": -7200.0, "backlog": 1284},
            "县平台断开 2 小时，记录已保存 1,284 条",
        ),
        ({"up": False, "since": -7200.0, "oldest_at": -7100.0}, "最早一条是 1 小时 58 分钟前的"),
        ({"up": True, "since": -60.0, "backlog": 90, "drain_s": 240}, "待传 90 条，约 4 分钟 传完"),
        ({"up": True, "since": -60.0, "sos_heard_at": -5.0}, "最近求助回执"),
    ],
)
async def test_the_link_in_plain_words(
    rig: Rig, chromium: Browser, row: dict[str, float], words: str
) -> None:
    now = time.time()
    times = {key: now + value for key, value in row.items() if key in ("since", "oldest_at")}
    heard = {"sos_heard_at": now - 5} if "sos_heard_at" in row else {}
    rig.board.put("uplink", "county", {**row, **times, **heard})
    page = await page_of(chromium, rig.url, None)
    link = page.locator("#top .link")
    await expect(link).to_contain_text(words)
    amber = "rgb(240, 165, 0)"
    colour = await link.evaluate("(one) => getComputedStyle(one).backgroundColor")
    assert (colour == amber) == (not row["up"])


async def test_an_order_calls_until_it_is_answered(rig: Rig, chromium: Browser) -> None:
    page = await page_of(chromium, rig.url)
    rig.board.put("order", SOS, {"cmd": "assist", "iat": int(time.time()), "discreet": True})
    await expect(page.locator(".order")).to_be_visible()
    await asyncio.sleep(1.2)  # a discreet one stays silent: nothing to wait for
    assert await page.evaluate("document.documentElement.dataset.sounding") == ""
    rig.board.put("order", "2" * 16, {"cmd": "rollcall", "iat": int(time.time()), "within_s": 60})
    await page.wait_for_selector("html[data-sounding=call]")
    await page.get_by_role("button", name="在岗").click()
    await page.wait_for_selector("html[data-sounding='']")
