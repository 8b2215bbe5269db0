"""What a page left open costs: heap after collection, nodes, and its longest task."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from playwright.async_api import CDPSession, Page

# Tasks over 50 ms are told to a PerformanceObserver, with when they began (ms since the page did).
OBSERVE = """() => {
  window.longTasks = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.longTasks.push([entry.startTime, entry.duration]);
  }).observe({type: "longtask"});
}"""

# When each SOS was on the screen: the frame after its panel came into the page.
SHOWN = """() => {
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


@dataclass
class Watch:
    """Samples of one page. Collections are forced by us: their tasks do not count."""

    page: Page
    heap_mb: list[float] = field(default_factory=list)
    nodes: list[int] = field(default_factory=list)
    _ours: list[tuple[float, float]] = field(default_factory=list)
    _cdp: CDPSession | None = None

    async def begin(self) -> None:
        self._cdp = await self.page.context.new_cdp_session(self.page)
        await self._cdp.send("Performance.enable")
        await self.page.evaluate(OBSERVE)
        await self.page.evaluate(SHOWN)

    async def sample(self) -> None:
        assert self._cdp is not None
        began = await self.page.evaluate("performance.now()")
        await self._cdp.send("HeapProfiler.collectGarbage")
        found = await self._cdp.send("Performance.getMetrics")
        metrics = {row["name"]: row["value"] for row in found["metrics"]}
        self.heap_mb.append(metrics["JSHeapUsedSize"] / 1e6)
        self.nodes.append(int(metrics["Nodes"]))
        self._ours.append((began, await self.page.evaluate("performance.now()")))

    async def longest_task_ms(self) -> float:
        tasks = await self.page.evaluate("window.longTasks")
        return max(
            (took for at, took in tasks
             if not any(at < end and at + took > begin for begin, end in self._ours)),
            default=0.0,
        )  # fmt: skip

    async def shown_at(self, sos: str, within_s: float) -> float:
        """Unix s of the frame that shows it."""
        deadline = time.monotonic() + within_s
        while not (at := await self.page.evaluate("(id) => window.shownAt[id] || 0", sos)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"SOS {sos} is not on the page after {within_s:.0f} s")
            await asyncio.sleep(0.02)
        return at / 1000


def growth(samples: list[float]) -> float:
    """Of a series that wobbles: the mean of its last quarter less that of its second quarter. The
    first is warm-up: caches, the tracks of a shift, compiled code."""
    quarter = max(1, len(samples) // 4)
    second, last = samples[quarter : 2 * quarter], samples[-quarter:]
    return sum(last) / len(last) - sum(second) / len(second) if second else 0.0
