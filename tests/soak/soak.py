"""The soak itself; __main__ runs it for ten minutes, the gate for some seconds."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import statistics
import time
from pathlib import Path
from typing import Any

from playwright.async_api import Page

from tests.bench.heart_rig import Key
from tests.edge_agent.desk.rig import PIN, browser
from tests.evening.county import County
from tests.fakes.mosquitto import Mosquitto
from tests.soak.agent import WholeAgent
from tests.soak.crowd import Walker, walk
from tests.soak.watch import Watch, growth

log = logging.getLogger(__name__)

LEAD = "王建国"
SAMPLES = 20  # over the whole time
SOS_EVERY = 30.0  # s
SHOWN_S = 60.0
DRAIN_S = 120.0


async def soak(
    folder: Path, seconds: float, units: int, per_s: float, kills: int
) -> dict[str, Any]:
    walkers = [Walker(number, per_s / units) for number in range(units)]
    async with contextlib.AsyncExitStack() as ends:
        broker = ends.enter_context(Mosquitto(folder / "mosquitto"))
        agent = WholeAgent(folder, broker.port)
        ends.push_async_callback(agent.stop)
        await agent.start()
        county = County(agent.county, agent.signer, lambda line: None)
        await county.start()
        ends.push_async_callback(county.stop)
        chromium = await ends.enter_async_context(browser())
        page = await enter(await chromium.new_page(viewport={"width": 1024, "height": 600}), agent)
        try:
            found = await watched(agent, county, page, walkers, seconds)
            log.warning("before the kills: %s", json.dumps(found))
            return {**found, **await killed(agent, county, page, walkers, kills)}
        except Exception:
            log.error("the agent: %s", await agent.post_mortem())
            raise


async def enter(page: Page, agent: WholeAgent) -> Page:
    """The first start, and the overview: the view that shows everything."""
    await page.goto(agent.url)
    await page.wait_for_selector("body[data-ready=true]")
    await page.fill("#code", agent.first_code)
    await page.fill("#name", LEAD)
    await page.fill("#login-pin", PIN)
    await page.click(".login button.big")
    await page.wait_for_selector("#nav button")
    return page


async def watched(
    agent: WholeAgent, county: County, page: Page, walkers: list[Walker], seconds: float
) -> dict[str, Any]:
    """The quiet part: nothing is broken, everything moves."""
    watch = Watch(page)
    rss: list[float] = []
    took: list[float] = []
    async with asyncio.TaskGroup() as group:
        load = group.create_task(walk(walkers, agent.units))
        await page.wait_for_function(
            "() => document.querySelectorAll('.map .person').length > 5", timeout=60_000
        )
        await watch.begin()
        ended = time.monotonic() + seconds
        alarms = group.create_task(raise_and_close(county, watch, walkers, ended, took))
        before = count(walkers)
        while time.monotonic() < ended:
            await page.keyboard.press("Shift")  # somebody is there: it does not lock itself
            await watch.sample()
            rss.append(agent.rss_mb())
            await asyncio.sleep(seconds / SAMPLES)
        await alarms
        sent = count(walkers) - before
        longest = await watch.longest_task_ms()
        load.cancel()
    return {
        "seconds": round(seconds),
        "units": len(walkers),
        "events_per_s": round(sent / seconds, 1),
        "sos_to_page_ms": {
            "p50": round(statistics.median(took)), "max": round(max(took)), "n": len(took),
        },
        "long_task_ms_max": round(longest),
        "page_heap_growth_mb": round(growth(watch.heap_mb), 2),
        "page_heap_mb": round(watch.heap_mb[-1], 1),
        "page_nodes_growth": round(growth([float(n) for n in watch.nodes])),
        "agent_rss_growth_mb": round(growth(rss), 2),
        "agent_rss_mb": round(rss[-1], 1),
    }  # fmt: skip


async def raise_and_close(
    county: County, watch: Watch, walkers: list[Walker], ended: float, took: list[float]
) -> None:
    """An SOS by another unit each time: ms from its PUBLISH to the screen; the county closes it."""
    chance = random.Random(len(walkers))
    every = min(SOS_EVERY, (ended - time.monotonic()) / 2)
    while time.monotonic() < ended - every / 2:
        walker = chance.choice(walkers)
        sos = f"{chance.getrandbits(64):016x}"
        walker.raise_sos(sos)
        shown = await watch.shown_at(sos, SHOWN_S)
        took.append((shown - walker.raised_at[sos]) * 1000)
        county.command(walker.unit, "sos_close", sos=sos)
        await watch.page.wait_for_selector(
            f"[data-sos='{sos}']", state="detached", timeout=SHOWN_S * 1000
        )
        await asyncio.sleep(max(0.0, min(every, ended - time.monotonic())))


async def killed(
    agent: WholeAgent, county: County, page: Page, walkers: list[Walker], kills: int
) -> dict[str, Any]:
    """SIGKILL after SIGKILL under the same load; how long the page was stale, and what is lost."""
    chance = random.Random(kills)
    back: list[float] = []
    for _ in range(kills):
        load = asyncio.create_task(walk(walkers, agent.units))
        await asyncio.sleep(chance.uniform(1, 3))
        await agent.kill()
        await load  # every connection ended with it
        await page.wait_for_selector("#stale", state="visible", timeout=30_000)
        up = await agent.start()
        began = time.monotonic()
        await page.wait_for_selector("#stale", state="hidden", timeout=30_000)
        back.append(up + time.monotonic() - began)
    load = asyncio.create_task(walk(walkers, agent.units))
    await all_resent(walkers, load)
    load.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await load
    accepted: dict[Key, Any] = {(walker.unit, walker.boot): walker.acked for walker in walkers}
    with contextlib.suppress(TimeoutError):
        await county.until("every record", lambda: not county.consumer.lost(accepted), DRAIN_S)
    holes = county.consumer.lost(accepted)
    return {
        "kills": kills,
        "page_back_s_max": round(max(back), 1),
        "accepted": count(walkers),
        "lost": sum(high - low + 1 for rows in holes.values() for low, high in rows),
    }


async def all_resent(walkers: list[Walker], load: asyncio.Task[None]) -> None:
    """Until each unit has had something acknowledged since it is back."""
    before = [walker.acked.count for walker in walkers]
    deadline = time.monotonic() + DRAIN_S
    while behind := [w for w, n in zip(walkers, before, strict=True) if w.acked.count <= n]:
        if load.done() or time.monotonic() > deadline:
            await asyncio.wait_for(load, 0)  # what ended it is the better reason
            raise TimeoutError(f"nothing of {[walker.unit for walker in behind]} is acknowledged")
        await asyncio.sleep(0.05)


def count(walkers: list[Walker]) -> int:
    return sum(walker.acked.count for walker in walkers)
