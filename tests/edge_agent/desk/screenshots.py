"""`make screenshots`: each view in both languages, to edge_agent/desk/pictures/."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from playwright.async_api import Browser, Page

from tests.edge_agent.desk.rig import HERE, LEAD, Rig, browser, opened
from tests.edge_agent.desk.scene import VIEWS, crowd, play
from tests.edge_agent.desk.tiles import numbers, pmtiles, tile

PICTURES = Path(__file__).resolve().parents[3] / "edge_agent/desk/pictures"
KIOSK = {"width": 1024, "height": 600}
PHONE = {"width": 390, "height": 844}
AUTOPLAY = "--autoplay-policy=no-user-gesture-required"


async def shoot(page: Page, name: str, out: Path) -> None:
    await page.evaluate("window.scrollTo(0, 0)")  # a click may have scrolled to its button
    await page.wait_for_timeout(400)  # a view's fetches
    await page.screenshot(path=out / f"{name}.png")


async def visit(page: Page, view: str) -> None:
    await page.click(f"#nav button:nth-child({VIEWS.index(view) + 1})")
    await page.wait_for_selector(f"body[data-view={view}]")


async def language(page: Page, zh: bool) -> None:
    if await page.evaluate("document.documentElement.lang") != ("zh-CN" if zh else "en"):
        await page.click(".tools > button")
        await page.wait_for_selector(f"html[lang={'zh-CN' if zh else 'en'}]")
        await page.wait_for_timeout(300)


async def alarms(rig: Rig) -> None:
    await rig.raise_sos("u-0001", "1" * 16, at=(HERE[0] - 24_600, HERE[1] + 41_800))


async def pictures(out: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = pmtiles(Path(folder) / "land", {one: tile(*one) for one in numbers()})
        land = {"file": path, "approval": "审图号（示例）"}
        async with Rig(Path(folder), map=land) as rig, browser(AUTOPLAY) as chromium:
            await first(chromium, rig, out)
            await rig.people()
            await play(rig)
            kiosk = await opened(await chromium.new_context(viewport=KIOSK), rig.url, LEAD)
            phone = await opened(
                await chromium.new_context(viewport=PHONE, device_scale_factor=1), rig.url, LEAD
            )
            for tongue in ("zh", "en"):
                await language(kiosk, tongue == "zh")
                for view in VIEWS:
                    await visit(kiosk, view)
                    await shoot(kiosk, f"{view}-{tongue}", out)
                await kiosk.click(".session button")
                await kiosk.wait_for_selector(".login")
                await shoot(kiosk, f"locked-{tongue}", out)
                await kiosk.fill("#login-pin", "270419")
                await kiosk.click(".login button.big")
                await kiosk.wait_for_selector("#nav button")
                await language(phone, tongue == "zh")
                await visit(phone, "overview")
                await shoot(phone, f"phone-{tongue}", out)
                await visit(phone, "map")
                await shoot(phone, f"map-phone-{tongue}", out)
            await with_sos(rig, kiosk, phone, out)
    await sketch(out)


async def sketch(out: Path) -> None:
    """The map without a file of tiles, and a squad that stands together."""
    with tempfile.TemporaryDirectory() as folder:
        async with Rig(Path(folder)) as rig, browser() as chromium:
            await rig.people()
            await play(rig)
            page = await opened(await chromium.new_context(viewport=KIOSK), rig.url, LEAD)
            await visit(page, "map")
            for tongue in ("zh", "en"):
                await language(page, tongue == "zh")
                await shoot(page, f"sketch-{tongue}", out)
            await crowd(rig, 40, 50)
            for tongue in ("zh", "en"):
                await language(page, tongue == "zh")
                await page.wait_for_timeout(500)
                await page.locator(".zoom").first.click()
                await page.locator(".map .person").last.click()
                await shoot(page, f"crowd-{tongue}", out)


async def first(chromium: Browser, rig: Rig, out: Path) -> None:
    page = await opened(await chromium.new_context(viewport=KIOSK), rig.url)
    for tongue in ("zh", "en"):
        await language(page, tongue == "zh")
        await shoot(page, f"first-{tongue}", out)
    await page.context.close()


async def with_sos(rig: Rig, kiosk: Page, phone: Page, out: Path) -> None:
    """One SOS that the county has; then three, one of them discreet; an order beside."""
    for page in (kiosk, phone):
        await visit(page, "overview")
    rig.board.put("uplink", "county", {"up": False, "since": time.time() - 7200})
    await alarms(rig)
    for page in (kiosk, phone):
        await page.wait_for_selector("article.sos")
    for tongue in ("zh", "en"):
        for page, name in ((kiosk, "sos"), (phone, "sos-phone")):
            await language(page, tongue == "zh")
            await shoot(page, f"{name}-{tongue}", out)
    rig.alarm.county(True)
    rig.alarm.seen("1" * 16, LEAD, True)
    await rig.raise_sos("u-0002", "2" * 16)
    await rig.raise_sos("u-0003", "3" * 16, discreet=True)
    ordered = {"cmd": "seal_off", "iat": int(time.time()) - 95, "place": "public"}
    rig.board.put("order", "4" * 16, {**ordered, "why": "嫌疑车辆向东逃离"})
    await kiosk.wait_for_selector("article.sos[data-discreet]")
    for tongue in ("zh", "en"):
        await language(kiosk, tongue == "zh")
        await shoot(kiosk, f"several-{tongue}", out)


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    asyncio.run(pictures(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES))
