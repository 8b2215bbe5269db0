"""Bays on the page: what to do, whose camera, how far, how long still."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from edge_agent.docks.states import Light
from tests.edge_agent.desk.rig import LEAD, Rig, browser, opened
from tests.edge_agent.desk.scene import VIEWS

ROW: dict[str, Any] = {
    "bay": "1", "number": 1, "state": "COPYING", "says": "", "light": Light.WORKING,
    "camera": "CAM001", "member": "王敏", "files": 12, "sealed": 5, "bytes": 1_000_000_000,
    "bytes_done": 0, "problems": 0, "why": None,
}  # fmt: skip
EMPTY = dict.fromkeys(ROW, None) | {
    "bay": "1", "number": 1, "state": "EMPTY", "says": "", "light": Light.EMPTY,
}  # fmt: skip


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with Rig(tmp_path) as made:
        await made.people()
        yield made


@pytest.fixture
async def page(rig: Rig) -> AsyncIterator[Page]:
    async with browser() as chromium:
        yield await bays_of(chromium, rig)


async def bays_of(chromium: Browser, rig: Rig) -> Page:
    context = await chromium.new_context(viewport={"width": 1024, "height": 600})
    page = await opened(context, rig.url, LEAD)
    await page.click(f"#nav button:nth-child({VIEWS.index('bays') + 1})")
    return page


async def test_a_copy_from_beginning_to_end(rig: Rig, page: Page) -> None:
    rig.board.put("bay", "1", ROW)
    card = page.locator(".cards.large .card")
    for text in ("请勿拔出", "1 号位", "王敏", "记录仪 CAM001", "已封存 5 / 12 个文件"):
        await expect(card).to_contain_text(text)
    await expect(card.locator(".beside")).to_have_text("0 % · 正在估算剩余时间")
    for step in range(1, 26):  # 10 MB each 0.2 s: 1,000 MB take 20 s
        rig.board.put("bay", "1", {"bytes_done": step * 10_000_000})
        await asyncio.sleep(0.2)
    await expect(card.locator(".beside")).to_contain_text("25 %")
    said = await card.locator(".beside").inner_text()
    found = re.fullmatch(r"25 % · 约剩 (\d+) 秒", said)
    assert found and 8 <= int(found[1]) <= 45, said  # 15 s on a machine with nothing else to do
    width = await page.evaluate("document.querySelector('.card .bar div').style.width")
    assert width == "25%"
    done = {"state": "SEALED", "light": Light.DONE, "bytes_done": ROW["bytes"], "sealed": 12}
    rig.board.put("bay", "1", done)
    await expect(card).to_contain_text("可以取走")
    await expect(card).not_to_contain_text("约剩")
    rig.board.put("bay", "1", EMPTY)
    await expect(card).to_contain_text("等待执法记录仪")
    assert "王敏" not in await card.inner_text() and "CAM001" not in await card.inner_text()


async def test_each_light_has_its_word_its_sign_and_what_to_do(rig: Rig, page: Page) -> None:
    told = {
        Light.WORKING: ("COPYING", "请勿拔出", "…"), Light.DONE: ("SEALED", "可以取走", "✔"),
        Light.PROBLEM: ("YANKED", "中途拔出：请重新插入", "!"), Light.EMPTY: ("EMPTY", "空", "○"),
    }  # fmt: skip
    for number, (light, (state, *_)) in enumerate(told.items(), 1):
        rig.board.put("bay", str(number), {
            **(EMPTY if light == Light.EMPTY else ROW), "bay": str(number), "number": number,
            "state": state, "light": light,
        })  # fmt: skip
    cards = page.locator(".cards.large .card")
    await expect(cards).to_have_count(4)
    for number, (_, text, sign) in enumerate(told.values()):
        await expect(cards.nth(number)).to_contain_text(text)
        await expect(cards.nth(number).locator(".sign")).to_have_text(sign)
    bottom = await page.evaluate(
        "Math.max(...[...document.querySelectorAll('.card')]"
        ".map((c) => c.getBoundingClientRect().bottom))"
    )
    assert bottom <= 600  # four bays fit the screen
    rig.board.put("bay", "3", {"why": "触点脏 / dirty contacts"})
    await expect(cards.nth(2)).to_contain_text("触点脏")
