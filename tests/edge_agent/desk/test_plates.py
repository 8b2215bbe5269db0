"""Plates by touch, and what the server takes for one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from pydantic import ValidationError

from edge_agent.desk.actions import Check
from tests.edge_agent.desk.rig import LEAD, Rig, browser, opened

GOOD = (
    "鲁P12345",
    "鲁PD12345",
    "鲁P12345F",
    "鲁P1234学",
    "鲁P1234警",
    "鲁P1234挂",
    "京A1B2C3",
    "无牌",
)
WRONG = (
    "鲁P1234",
    "鲁P1234567",
    "P12345",
    "鲁P12345挂",
    "鲁PI2345",
    "鲁P123学4",
    "<b>",
    "鲁12345P",
)


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    async with Rig(tmp_path) as rig, browser() as chromium:
        await rig.people()
        made = await opened(await chromium.new_context(has_touch=True), rig.url, LEAD)
        made.set_default_timeout(8000)
        await made.tap("#nav button:nth-child(6)")
        await made.get_by_text("车牌键盘").tap()
        yield made


async def type_plate(page: Page, plate: str) -> None:
    """As a finger does: the prefix seen most first, else the province; one key a character."""
    keys = [plate] if plate == "无牌" else [plate[:2], *plate[2:]]
    if plate != "无牌" and plate[:2] != "鲁P":
        keys = list(plate)
    for key in keys:
        await page.locator(".keys").get_by_role("button", name=key, exact=True).tap()


async def test_the_local_prefix_is_the_first_key(page: Page) -> None:
    assert await page.locator(".keys button").first.inner_text() == "鲁P"


async def test_each_kind_is_typed_and_kept(page: Page) -> None:
    for plate in GOOD:
        await type_plate(page, plate)
        await expect(page.locator(".plate")).to_have_class("plate whole")
        await page.tap("[data-check='vehicle pass']")
        await expect(page.locator(".last li").first).to_contain_text(plate)
        await expect(page.locator(".plate")).to_have_class("plate blank")  # ready for the next
    await expect(page.locator("[data-check='vehicle pass'] b")).to_have_text(str(len(GOOD)))


async def test_a_plate_that_is_not_whole_is_not_sent(page: Page) -> None:
    await type_plate(page, "鲁P123")
    await expect(page.locator(".plate")).to_have_class("plate part")
    await page.tap("[data-check='vehicle pass']")
    await expect(page.locator("#said .bad")).to_contain_text("车牌不完整")
    await expect(page.locator(".last li")).to_have_count(0)
    back = page.locator(".keys").get_by_role("button", name="退格")
    for _ in range(5):
        await back.tap()
    await page.tap("[data-check='vehicle pass']")  # without a plate it counts as well
    await expect(page.locator(".last li")).to_have_count(1)


def test_the_server_takes_the_same() -> None:
    for plate in GOOD:
        assert Check(id="1" * 16, what="vehicle", outcome="pass", plate=plate).plate == plate
    for plate in WRONG:
        with pytest.raises(ValidationError):
            Check(id="1" * 16, what="vehicle", outcome="pass", plate=plate)
