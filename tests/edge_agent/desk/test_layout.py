"""Every view on the kiosk's screen and on a phone: nothing cut off, large enough for gloves, and
all of it by keyboard alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.edge_agent.desk.rig import LEAD, PIN, STAFF, Rig, browser, opened, until
from tests.edge_agent.desk.scene import VIEWS, play

SOS = "1" * 16
SIZES = {"kiosk": (1024, 600), "phone": (390, 844)}
FINGER = 44  # px: WCAG 2.5.5
# What can be pressed and is smaller than a finger; the wide ones may be a little low.
SMALL = """(least) => [...document.querySelectorAll("button, select, input")]
  .filter((one) => one.checkVisibility())
  .map((one) => ({text: one.textContent || one.id, box: one.getBoundingClientRect()}))
  .filter(({box}) => box.width && Math.min(box.width, box.height) < least)
  .map(({text, box}) => `${text}: ${Math.round(box.width)}x${Math.round(box.height)}`)"""
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with Rig(tmp_path) as made:
        await made.people()
        yield made


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with browser() as made:
        yield made


async def page_of(chromium: Browser, rig: Rig, size: str, name: str | None = LEAD) -> Page:
    width, height = SIZES[size]
    context = await chromium.new_context(
        viewport={"width": width, "height": height}, has_touch=True
    )
    page = await opened(context, rig.url, name)
    page.set_default_timeout(8000)
    return page


@pytest.mark.parametrize("size", SIZES)
async def test_every_view_fits_and_every_button_is_a_fingers(
    rig: Rig, chromium: Browser, size: str
) -> None:
    await play(rig)
    page = await page_of(chromium, rig, size)
    wrong: list[str] = []  # what the browser complains of: our own policy's violations, exceptions
    page.on("console", lambda told: wrong.append(told.text) if told.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    await rig.raise_sos("u-0001", SOS)
    await rig.raise_sos("u-0002", "2" * 16, discreet=True)
    rig.board.put("order", "3" * 16, {"cmd": "seal_off", "iat": 1_800_000_000, "why": "嫌疑车辆"})
    await expect(page.locator(".order")).to_be_visible()
    least = FINGER if size == "kiosk" else 0.9 * FINGER  # its root font is smaller
    for tongue in ("zh-CN", "en"):
        if tongue == "en":
            await page.tap(".tools > button")
            await page.wait_for_selector("html[lang=en]")
        for view in VIEWS:
            await page.tap(f"#nav button:nth-child({VIEWS.index(view) + 1})")
            await page.wait_for_selector(f"body[data-view={view}]")
            assert await page.evaluate(WIDER) <= 0, (view, tongue)
            assert await page.evaluate(SMALL, least) == [], (view, tongue)
    assert wrong == []
    await page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"top:0\">')")
    await until(lambda: any("Content Security Policy" in text for text in wrong))


async def test_an_sos_is_read_from_across_the_room(rig: Rig, chromium: Browser) -> None:
    page = await page_of(chromium, rig, "kiosk")
    await rig.raise_sos("u-0001", SOS)
    panel = page.locator("article.sos")
    await expect(panel).to_be_visible()
    size = "(one) => parseFloat(getComputedStyle(one).fontSize)"
    assert await panel.locator(".name").evaluate(size) >= 70  # 15 mm on a 10-inch 1024x600
    assert await panel.locator(".where").evaluate(size) >= 34
    presses = await panel.get_by_role("button").evaluate_all(
        "(all) => all.map((one) => one.getBoundingClientRect().bottom)"
    )
    assert max(presses) <= 600  # without scrolling
    await panel.get_by_text("看到了").click()
    await expect(panel).to_contain_text("已看到")
    assert await panel.locator(".name").evaluate(size) < 60  # makes room for the map


async def tab_to(page: Page, text: str) -> None:
    """Tab until the focus stands on what says so; it is visible there."""
    for _ in range(80):
        await page.keyboard.press("Tab")
        said = await page.evaluate("document.activeElement.textContent.trim()")
        if said == text:
            ring = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert ring == "solid"
            return
    raise AssertionError(f"no way to {text} by keyboard")


async def test_by_keyboard_alone(rig: Rig, chromium: Browser) -> None:
    page = await page_of(chromium, rig, "kiosk", None)
    await page.focus("#name")
    await page.keyboard.press("ArrowDown")
    assert await page.input_value("#name") == STAFF
    await page.keyboard.press("Tab")
    await page.keyboard.type(PIN)
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#nav button")
    await rig.raise_sos("u-0001", SOS)
    await expect(page.locator("article.sos")).to_be_visible()
    await tab_to(page, "我们出发")
    await page.keyboard.press("Enter")
    await expect(page.locator("article.sos")).to_contain_text(f"{STAFF} 已出发")
    await tab_to(page, "登记")
    await page.keyboard.press("Space")
    await page.wait_for_selector("body[data-view=checks]")
    await tab_to(page, "放行0")
    await page.keyboard.press("Enter")
    await expect(page.locator(".last li")).to_have_count(1)
    await tab_to(page, "撤销")
    await page.keyboard.press("Enter")
    await expect(page.locator(".last li.undone")).to_have_count(1)
    await until(lambda: rig.board.get("check", "totals")["shift"] == {})
