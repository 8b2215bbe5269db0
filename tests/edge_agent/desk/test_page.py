"""The page in a real Chromium: what staff see, press and hear."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from tests.edge_agent.desk.load import LONGEST_TASK, crowd
from tests.edge_agent.desk.rig import LEAD, PIN, STAFF, Rig, browser, log_in, opened, until
from tests.edge_agent.desk.scene import VIEWS, play

SOS, OTHER = "1" * 16, "2" * 16
AUTOPLAY = "--autoplay-policy=no-user-gesture-required"  # the kiosk's flag
ON_THE_MAP = (
    "[...document.querySelectorAll('.map .person')].reduce((n, p) => n + Number(p.dataset.n), 0)"
)
SOUNDING = "document.documentElement.dataset.sounding"


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with Rig(tmp_path) as made:
        await made.people()
        yield made


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with browser(AUTOPLAY) as made:
        yield made


async def page_of(chromium: Browser, rig: Rig, name: str | None = LEAD) -> Page:
    context = await chromium.new_context(viewport={"width": 1024, "height": 600})
    page = await opened(context, rig.url, name)
    page.set_default_timeout(8000)
    return page


async def until_shown(page: Page, people: int) -> None:
    """So many members on the map; those who stand together are one dot with a number."""
    deadline = time.monotonic() + 8
    while (now := await page.evaluate(ON_THE_MAP)) != people:
        assert time.monotonic() < deadline, f"{now} people on the map"
        await asyncio.sleep(0.05)


async def show(page: Page, view: str) -> None:
    await page.click(f"#nav button:nth-child({VIEWS.index(view) + 1})")
    await page.wait_for_selector(f"body[data-view={view}]")


async def test_an_sos_is_seen_heard_answered_and_closed(rig: Rig, chromium: Browser) -> None:
    page = await page_of(chromium, rig)
    rig.alarm.county(True)
    assert await page.evaluate(SOUNDING) == ""
    await rig.raise_sos("u-0001", SOS)
    panel = page.locator(f"article[data-sos='{SOS}']")
    await expect(panel).to_contain_text("东南")
    await expect(panel.locator("[data-light=held]")).to_have_class("lit")
    await expect(panel.locator("[data-light=county]")).not_to_have_class("lit")
    await page.wait_for_selector("html[data-sounding=alarm]")
    width = await page.evaluate("innerWidth")
    box = await panel.bounding_box()
    assert box and box["width"] >= width - 20 and box["y"] == 0
    await panel.get_by_text("看到了").click()
    await expect(panel).to_contain_text(f"{LEAD} 已看到")
    await page.wait_for_selector("html[data-sounding='']")  # the county can be reached
    await panel.get_by_text("我们出发").click()
    await expect(panel).to_contain_text("已出发")
    assert rig.pressed == [("seen", SOS, False, LEAD), ("seen", SOS, True, LEAD)]
    rig.alarm.ordered("unit_cmd", {"cmd": "sos_ack", "sos": SOS})
    await expect(panel.locator("[data-light=county]")).to_have_class("lit")
    rig.room.scene.ordered("unit_cmd", {"cmd": "assist", "id": "a" * 16, "sos": SOS})
    await rig.say("unit_ack", "u-0002", {"id": "a" * 16, "cmd": "assist", "state": "onscene"})
    await expect(panel.locator("[data-light=onscene]")).to_have_class("lit")
    rig.alarm.ordered("unit_cmd", {"cmd": "sos_close", "sos": SOS})
    await expect(page.locator("article.sos")).to_have_count(0)


async def test_whom_to_phone_and_mute_by_name(rig: Rig, chromium: Browser) -> None:
    page = await page_of(chromium, rig)
    rig.alarm.county(False)
    await rig.raise_sos("u-0001", SOS)
    panel = page.locator(f"article[data-sos='{SOS}']")
    await expect(panel).to_contain_text("0635 000 0000")
    await until(lambda: rig.siren[-1:] == [True])
    await panel.get_by_text("静音").click()
    await expect(panel).to_contain_text(f"{LEAD} 已静音")
    await page.wait_for_selector("html[data-sounding='']")
    await until(lambda: rig.siren[-1:] == [False])
    rows = await rig.room.journal.rows(0)
    assert (LEAD, "mute") in [(row["who"], row["what"]) for row in rows]
    await rig.raise_sos("u-0002", OTHER)  # the next one sounds again
    await page.wait_for_selector("html[data-sounding=alarm]")


async def test_a_discreet_sos_is_silent_and_curtains_the_map(rig: Rig, chromium: Browser) -> None:
    page = await page_of(chromium, rig)
    rig.alarm.county(True)  # waiting and unseen: what sounds when it is not discreet
    await show(page, "map")
    await rig.raise_sos("u-0001", SOS, discreet=True)
    await expect(page.locator("article[data-discreet]")).to_be_visible()
    await expect(page.locator(".curtain")).to_be_visible()
    assert await page.evaluate(SOUNDING) == ""
    assert await page.locator("article.sos").get_by_text("静音").is_hidden()
    assert True not in rig.siren


async def test_several_are_ordered_and_none_hides_another(rig: Rig, chromium: Browser) -> None:
    page = await page_of(chromium, rig)
    for n in range(5):
        await rig.raise_sos(f"u-000{n}", f"{n + 1}" * 16)
        await asyncio.sleep(0.01)
    await expect(page.locator("article.sos")).to_have_count(5)
    await page.locator("article.sos").first.get_by_text("看到了").click()
    await expect(page.locator("article.sos").last).to_contain_text("u-0000")  # seen ones come last
    boxes = await page.evaluate(
        "[...document.querySelectorAll('article.sos')].map((a) => a.getBoundingClientRect())"
        ".map((r) => [r.top, r.bottom])"
    )
    assert all(a[1] <= b[0] + 1 for a, b in pairwise(boxes))
    await page.mouse.wheel(0, 5000)
    await expect(page.locator("#chips")).to_contain_text("u-0004")
    top = await page.evaluate("document.querySelector('#chips').getBoundingClientRect().top")
    assert top == 0  # their names stay in sight wherever the page is scrolled to


async def test_a_locked_page_shows_the_sos_and_asks_whose_press_it_is(
    rig: Rig, chromium: Browser
) -> None:
    page = await page_of(chromium, rig)
    await rig.room.shift.sign_on(STAFF)
    await page.get_by_text("锁屏").click()
    await expect(page.locator(".login")).to_be_visible()
    await rig.raise_sos("u-0001", SOS)
    panel = page.locator(f"article[data-sos='{SOS}']")
    await expect(panel).to_be_visible()
    await panel.get_by_text("我们出发").click()
    await page.locator(".who").get_by_text(STAFF).click()
    await expect(panel).to_contain_text(f"{STAFF} 已出发")
    assert await page.locator("svg.map").count() == 0
    await page.fill("#login-pin", PIN)
    await page.click(".login button.big")
    await expect(page.locator("svg.map")).to_be_visible()


# What Playwright evaluates counts as somebody's touch, so the page tells by itself.
TELL = """
new MutationObserver(() => {
  const said = document.querySelector(".note.mute")?.textContent || "";
  if (said === window.told || !document.body?.dataset.ready) return;
  window.told = said;
  console.log(`banner: ${said}`);
}).observe(document, {subtree: true, childList: true, characterData: true, attributes: true});
"""


@pytest.mark.parametrize(("flags", "says"), [((), "声音未开启"), ((AUTOPLAY,), "")])
async def test_a_silent_browser_says_so(rig: Rig, flags: tuple[str, ...], says: str) -> None:
    async with browser(*flags) as chromium:
        page = await chromium.new_page()
        await page.add_init_script(TELL)
        told: list[str] = []
        page.on("console", lambda message: told.append(message.text))
        await page.goto(rig.url)
        await until(lambda: any(text.startswith("banner: " + says) for text in told))
        assert ("banner: " in told) == (not says)
        if says:
            await page.mouse.click(5, 5)
            await expect(page.locator(".note.mute")).to_have_count(0)


async def test_a_page_left_open_recovers_from_a_restart(rig: Rig, chromium: Browser) -> None:
    page = await page_of(chromium, rig)
    await show(page, "map")
    await rig.stop()
    await expect(page.locator("#stale")).to_be_visible(timeout=15000)
    await rig.start()
    rig.board.put("unit", "u-0009", {"member": "新来的", "lat": 364562000, "lon": 1159854000,
                                     "tst": int(time.time())})  # fmt: skip
    await expect(page.locator("#stale")).to_be_hidden(timeout=15000)
    await expect(page.locator(".map .name.who")).to_contain_text("新来的")
    await rig.raise_sos("u-0001", SOS)
    await expect(page.locator(f"article[data-sos='{SOS}']")).to_be_visible()
    assert await page.locator(".login").count() == 0  # whoever was in is still in


async def test_checks_outputs_and_roll_call_are_pressed(rig: Rig, chromium: Browser) -> None:
    page = await page_of(chromium, rig)
    await show(page, "checks")
    await page.get_by_text("车牌键盘").click()
    for key in ("鲁P", "D", "1", "2", "3", "4", "5"):
        await page.locator(".keys").get_by_role("button", name=key, exact=True).click()
    await page.select_option("#operation", "spring")
    await page.click("[data-check='vehicle register']")
    await expect(page.locator(".last li").first).to_contain_text("鲁PD12345 · 春季禁牧")
    await page.locator(".last").get_by_text("撤销").first.click()
    await expect(page.locator(".last li.undone")).to_have_count(1)
    await show(page, "devices")
    siren = page.locator(".output").first
    await siren.get_by_text("打开").click()
    assert rig.pressed == []  # asked once more
    await siren.get_by_text("再点一次确认").click()
    await expect(siren).to_contain_text("开")
    assert rig.pressed == [("output", "siren", True, LEAD)]
    rig.board.put("order", SOS, {"cmd": "rollcall", "iat": int(time.time()), "within_s": 60})
    await expect(page.locator(".timer")).to_contain_text("应答时限")
    await page.get_by_role("button", name="在岗").click()
    await until(lambda: ("answer", SOS, LEAD, None) in rig.pressed)


async def test_no_serious_finding_and_no_untranslated_text(rig: Rig, chromium: Browser) -> None:
    await play(rig)
    page = await page_of(chromium, rig)
    await rig.raise_sos("u-0001", SOS)
    for tongue in ("zh-CN", "en"):
        if tongue == "en":
            await page.click(".tools > button")
            await page.wait_for_selector("html[lang=en]")
        for view in VIEWS:
            await show(page, view)
            assert "⟦" not in await page.inner_text("body"), view
            found = (await Axe().run(page)).response["violations"]
            bad = [(v["id"], [n["html"] for n in v["nodes"]][:3]) for v in found
                   if v["impact"] in ("serious", "critical")]  # fmt: skip
            assert not bad, (view, bad)


async def test_two_hundred_units_do_not_hold_the_page_up(rig: Rig, chromium: Browser) -> None:
    page = await page_of(chromium, rig)
    await page.evaluate(LONGEST_TASK)
    await crowd(rig, units=200, per_s=50, seconds=4)
    await until_shown(page, 200)
    await rig.raise_sos("u-0001", SOS)
    await expect(page.locator(f"article[data-sos='{SOS}']")).to_be_visible()
    assert await page.evaluate("window.longestTask") < 200  # the bench holds it to 100, alone


async def test_first_start_in_the_browser(tmp_path: Path, chromium: Browser) -> None:
    async with Rig(tmp_path) as rig:
        page = await page_of(chromium, rig, None)
        code = rig.room.accounts.first_code
        assert code
        await page.fill("#code", code)
        await page.fill("#name", "王建国")
        for digit in PIN:
            await page.locator(".pinkeys").get_by_role("button", name=digit, exact=True).click()
        await page.click(".login button.big")
        await page.get_by_text("退出").wait_for()
        assert rig.room.accounts.names == {"王建国": "lead"}
        await page.get_by_text("退出").click()
        await log_in(page, "王建国")


async def test_the_hand_over_sheet_is_printed(rig: Rig, chromium: Browser) -> None:
    await play(rig)
    rig.board.put("sensor", "smoke", {"alarm": "on"})  # happens in this shift, by itself
    rig.board.put("seal", SOS, {"cmd": "seal_off", "iat": 1_800_000_000, "done_at": 1_800_000_300})
    page = await page_of(chromium, rig)
    await page.evaluate("() => { window.print = () => { document.title = 'printed'; }; }")
    await show(page, "shift")
    await page.fill("#note", "道闸偶尔卡住")
    await page.locator(".two").get_by_role("button", name="交接班").click()
    await page.locator(".two").get_by_role("button", name="再点一次确认").click()
    await expect(page).to_have_title("printed")
    await page.emulate_media(media="print")
    paper = page.locator(".paper")
    await expect(paper).to_be_visible()
    for text in (
        "十里铺卡点 交接单", "王建国，李秀英", "放行 1", "道闸偶尔卡住", "配电箱烟感 报警",
        "直流电源 报警：过低", "封控", "3 号位",
    ):  # fmt: skip
        await expect(paper).to_contain_text(text)
    await expect(page.locator("#nav")).to_be_hidden()
