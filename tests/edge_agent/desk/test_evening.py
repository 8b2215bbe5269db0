"""From the finger on a unit's button to the alarm on the screen, everything real between."""

from __future__ import annotations

import asyncio
from pathlib import Path

from playwright.async_api import expect

from tests.edge_agent.desk.rig import PIN, browser
from tests.evening.broker import Embedded
from tests.evening.world import VISITOR, World

NAME = "王建国"


async def test_the_button_the_page_and_the_staffs_answer(tmp_path: Path) -> None:
    world = World(tmp_path, Embedded(), lambda line: None)
    async with (
        world.running(),
        browser("--autoplay-policy=no-user-gesture-required") as chromium,
    ):
        page = await chromium.new_page()
        await page.goto(world.desk)
        await page.wait_for_selector("body[data-ready=true]")
        code = (tmp_path / "data/desk-first-code").read_text().strip()
        await page.fill("#code", code)
        await page.fill("#name", NAME)
        await page.fill("#login-pin", PIN)
        await page.click(".login button.big")
        await page.wait_for_selector("#nav button")
        await page.click("#nav button:nth-child(4)")  # the unit is near: it is on the page
        await expect(page.locator(".card")).to_contain_text([VISITOR], timeout=25000)
        unit = world.units[VISITOR]
        pressed_ms = await asyncio.to_thread(unit.hold)
        panel = page.locator("article.sos")
        await expect(panel).to_contain_text(VISITOR, timeout=10000)
        await expect(panel.locator("[data-light=held]")).to_have_class("lit")
        await expect(panel.locator("[data-light=county]")).to_have_class("lit", timeout=10000)
        await page.wait_for_selector("html[data-sounding=alarm]")
        await panel.get_by_text("我们出发").click()
        await expect(panel).to_contain_text(f"{NAME} 已出发")
        # three long pulses on the member's wrist: help is coming
        await asyncio.to_thread(unit.wait_felt, 3, 10, pressed_ms)
        seen = await world.county.first(
            "the staff's word", lambda s: s.name == "unit_seen" and s.fields["going"], 10
        )
        assert seen.fields["who"] == NAME
        sos = seen.fields["sos"]
        world.county.command(VISITOR, "sos_close", sos=sos)
        await expect(panel).to_have_count(0, timeout=10000)
