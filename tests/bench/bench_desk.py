"""`make bench-desk`: the staff's page in a real Chromium; one JSON object on the last line.

sos_to_page_ms    from the SOS's commit to the frame after the one that shows it, n SOSs, while
                  200 units send 50 positions a second
long_task_ms_max  of the page's main thread meanwhile; 0: none over 50 ms, the least it is told
memory_growth_mb  of the page's JS heap after collection, from the first to the last minute
a11y_serious, untranslated   over every view in both languages
DESK_SOAK_S=600 is the issue's ten minutes; 120 s unless told otherwise.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from tests.edge_agent.desk.load import LONGEST_TASK, crowd
from tests.edge_agent.desk.rig import LEAD, Rig, browser, opened, until
from tests.edge_agent.desk.scene import VIEWS, play

SOAK_S = float(os.environ.get("DESK_SOAK_S", "120"))
SOS_N, UNITS, PER_S = 60, 200, 50
CJK = re.compile(r"[\u4e00-\u9fff]")

# When each SOS was first on the screen: the frame after its panel came into the page.
WATCH = """() => {
  window.shownAt = {};
  new MutationObserver(() => {
    for (const panel of document.querySelectorAll("article.sos")) {
      const id = panel.dataset.sos;
      if (id in window.shownAt) continue;
      window.shownAt[id] = 0;
      requestAnimationFrame(() => requestAnimationFrame(() => {
        window.shownAt[id] = performance.timeOrigin + performance.now();
      }));
    }
  }).observe(document.getElementById("sos"), {childList: true, subtree: true});
}"""


async def heap_mb(page: Page) -> float:
    session = await page.context.new_cdp_session(page)
    await session.send("HeapProfiler.collectGarbage")
    used = (await session.send("Runtime.getHeapUsage"))["usedSize"]
    await session.detach()
    return used / 1e6


async def alarms(rig: Rig, page: Page) -> list[float]:
    """Raise SOSs one after another, closed in between; ms from commit to screen."""
    took: list[float] = []
    for n in range(SOS_N):
        sos = f"{n + 1:016x}"
        await rig.raise_sos(f"u-{n:04d}", sos)
        deadline = time.monotonic() + 10
        while not (at := await page.evaluate("(id) => window.shownAt[id] || 0", sos)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"SOS {sos} is not on the page")
            await asyncio.sleep(0.02)
        took.append(at - rig.committed_at[sos] * 1000)
        rig.alarm.ordered("unit_cmd", {"cmd": "sos_close", "sos": sos})
        await until(lambda sos=sos: sos not in rig.board.view()["sos"])
        await asyncio.sleep(max(0.2, SOAK_S / SOS_N / 2))
    return took


async def soak(rig: Rig, page: Page) -> dict[str, Any]:
    await page.evaluate(LONGEST_TASK)
    await page.evaluate(WATCH)
    load = asyncio.create_task(crowd(rig, UNITS, PER_S, SOAK_S))
    await asyncio.sleep(min(30, SOAK_S / 4))
    before = await heap_mb(page)
    await page.evaluate("window.longestTask = 0")  # the forced collection is not the page's
    took = await alarms(rig, page)
    await load
    longest = await page.evaluate("window.longestTask")
    return {
        "sos_to_page_ms": {
            "p50": round(statistics.median(took)),
            "p95": round(statistics.quantiles(took, n=20)[-1]),
            "n": len(took),
        },
        "long_task_ms_max": round(longest),
        "memory_growth_mb": round(await heap_mb(page) - before, 2),
        "events": await load,
    }


async def texts(rig: Rig, page: Page) -> dict[str, int]:
    """Findings of axe-core, and texts without a translation, over all views."""
    serious = untranslated = 0
    words = json.loads(await (await page.request.get(f"{rig.url}/static/words.json")).text())
    untranslated += sum(not text.get(tongue) for text in words.values() for tongue in ("zh", "en"))
    untranslated += sum(
        bool(CJK.search(text["en"])) for key, text in words.items() if key != "other_language"
    )
    await rig.raise_sos("u-0001", "f" * 16)
    for _ in range(2):
        await page.click(".tools > button")
        await page.wait_for_timeout(500)
        for number, view in enumerate(VIEWS, 1):
            await page.click(f"#nav button:nth-child({number})")
            await page.wait_for_selector(f"body[data-view={view}]")
            untranslated += (await page.inner_text("body")).count("⟦")
            found = (await Axe().run(page)).response["violations"]
            serious += sum(v["impact"] in ("serious", "critical") for v in found)
    return {"a11y_serious": serious, "untranslated": untranslated}


async def measure() -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="patrol-desk-") as folder:
        async with Rig(Path(folder)) as rig, browser() as chromium:
            await rig.people()
            rig.alarm.county(True)
            context = await chromium.new_context(viewport={"width": 1024, "height": 600})
            page = await opened(context, rig.url, LEAD)
            result = await soak(rig, page)
            await play(rig)
            return {**result, **await texts(rig, page)}


if __name__ == "__main__":
    began = time.monotonic()
    result = asyncio.run(measure())
    print(json.dumps({**result, "took_s": round(time.monotonic() - began)}))
