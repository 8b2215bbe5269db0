"""Response clocks in a real Chromium, over their ends as time really passes: 1, 3, 10 min."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.edge_agent.desk.rig import LEAD, Rig, browser, opened

SOS, ORDER = "1" * 16, "2" * 16
KEY = (364585000, 1159895000)  # 变电站 of the rig's places
PUBLIC = (364540000, 1159845000)  # 小学东门
PLAIN = (364555000, 1159805000)  # 水塘: a point without a class


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with Rig(tmp_path, seal_off=["放下北侧道闸", "关闭便道铁门"]) as made:
        await made.people()
        yield made


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with browser() as made:
        yield made


async def page_at(chromium: Browser, rig: Rig) -> Page:
    context = await chromium.new_context(viewport={"width": 1024, "height": 600})
    page = await opened(context, rig.url, LEAD)
    page.set_default_timeout(8000)
    return page


def clock(page: Page, kind: str) -> Locator:
    return page.locator(f".timer[data-clock={kind}]").first


async def left(timer: Locator) -> int:
    """Seconds on a clock, below 0 when it is over."""
    text = next(word for word in (await timer.inner_text()).split() if ":" in word)
    minutes, seconds = text.removeprefix("−").split(":")
    return (int(minutes) * 60 + int(seconds)) * (-1 if text[0] == "−" else 1)


async def until_async(read: Callable[[], Awaitable[int]], most: int) -> None:
    """Wait until a clock has run down to `most`."""
    async with asyncio.timeout(10):
        while await read() > most:  # noqa: ASYNC110 - the page has no event for it
            await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    ("at", "words", "limit"), [(KEY, "重点部位", 60), (PUBLIC, "公共场所", 180)]
)
async def test_an_sos_at_a_point_has_its_class_clock(
    rig: Rig, chromium: Browser, at: tuple[int, int], words: str, limit: int
) -> None:
    page = await page_at(chromium, rig)
    began = time.time() - (limit - 5)
    await rig.raise_sos("u-0001", SOS, at=at, ago=time.time() - began)
    timer = clock(page, "place")
    await expect(timer).to_contain_text(words)
    assert abs(await left(timer) - (began + limit - time.time())) <= 1.5
    assert await timer.get_attribute("data-over") is None
    calm = await timer.evaluate("(t) => getComputedStyle(t).backgroundColor")
    await expect(timer).to_contain_text("已超时", timeout=12000)
    over = time.time() - (began + limit)
    assert -1 <= over <= 3  # no earlier than that, and with the second
    assert await timer.get_attribute("data-over") is not None
    assert await timer.evaluate("(t) => getComputedStyle(t).backgroundColor") != calm
    assert abs(await left(clock(page, "seal")) - (began + 600 - time.time())) <= 1.5


async def test_no_class_no_clock(rig: Rig, chromium: Browser) -> None:
    page = await page_at(chromium, rig)
    await rig.raise_sos("u-0001", SOS, at=PLAIN)
    await expect(page.locator("article.sos")).to_be_visible()
    await expect(page.locator(".timer")).to_have_count(0)


async def test_the_clock_stands_once_somebody_is_there(rig: Rig, chromium: Browser) -> None:
    page = await page_at(chromium, rig)
    await rig.raise_sos("u-0001", SOS, at=PUBLIC)
    timer = clock(page, "place")
    await expect(timer).to_be_visible()
    await rig.walk("u-0002", *PUBLIC)
    await expect(timer).to_contain_text("按时完成")
    stood = await left(timer)
    seal = await left(clock(page, "seal"))
    await until_async(lambda: left(clock(page, "seal")), seal - 2)
    assert await left(timer) == stood and await timer.get_attribute("data-over") is None
    await expect(page.locator("article.sos [data-light=onscene]")).to_have_class("lit")
    await expect(page.locator("article.sos")).to_contain_text("u-0002 在旁")


async def test_sealing_off_until_it_is_lifted(rig: Rig, chromium: Browser) -> None:
    page = await page_at(chromium, rig)
    row = {"cmd": "seal_off", "iat": int(time.time()) - 597, "place": "public", "why": "嫌疑车辆"}
    rig.board.put("order", ORDER, row)
    order = page.locator(f"[data-order='{ORDER}']")
    for words in ("封控", "放下北侧道闸", "关闭便道铁门", "嫌疑车辆"):
        await expect(order).to_contain_text(words)
    await expect(clock(page, "place")).to_contain_text("公共场所")  # the order's own class
    await expect(clock(page, "place")).to_contain_text("−")
    assert abs(await left(clock(page, "seal")) - (row["iat"] + 600 - time.time())) <= 1.5
    await expect(page.locator("html")).to_have_attribute("data-sounding", "call")
    await expect(clock(page, "seal")).to_contain_text("已超时", timeout=12000)
    await order.get_by_role("button", name="已封控").click()
    await expect(order).to_contain_text(f"{LEAD} ")
    await expect(order.get_by_role("button")).to_have_count(0)
    await expect(clock(page, "seal")).to_contain_text("超时完成")
    await expect(page.locator("html")).to_have_attribute("data-sounding", "")
    await rig.room.kept.written()
    await rig.stop()
    await rig.start()  # it is still sealed off after a power cut
    assert rig.board.get("seal", ORDER)["who"] == LEAD
    rig.room.lifted()
    assert rig.board.view()["seal"] == {}


async def test_an_assist_at_a_key_site_has_its_minute(rig: Rig, chromium: Browser) -> None:
    page = await page_at(chromium, rig)
    lat, lon = KEY
    rig.board.put(
        "order", ORDER, {"cmd": "assist", "iat": int(time.time()), "lat": lat, "lon": lon}
    )
    await expect(clock(page, "place")).to_contain_text("重点部位")
    assert 55 <= await left(clock(page, "place")) <= 60
