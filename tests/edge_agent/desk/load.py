"""Many units on the page, and the page's own account of its longest task."""

from __future__ import annotations

import asyncio
import math
import time

from tests.edge_agent.desk.rig import HERE, Rig

# Tasks over 50 ms are told to a PerformanceObserver; the longest is kept on the window.
LONGEST_TASK = """() => {
  window.longestTask = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      window.longestTask = Math.max(window.longestTask, entry.duration);
    }
  }).observe({type: "longtask"});
}"""


async def crowd(rig: Rig, units: int, per_s: int, seconds: float) -> int:
    """Every unit once at once, then `per_s` positions a second; how many were sent."""
    sent, began = 0, time.monotonic()
    for unit in range(units):
        await step(rig, unit, 0.0)
    while (gone := time.monotonic() - began) < seconds:
        while sent < gone * per_s:
            await step(rig, sent % units, gone)
            sent += 1
        await asyncio.sleep(0.01)
    return sent


async def step(rig: Rig, unit: int, turn: float) -> None:
    angle = unit * 2.39996 + turn / 60
    reach = 4000 + 500 * unit
    lat = HERE[0] + round(reach * math.cos(angle))
    await rig.walk(f"u-{unit:04d}", lat, HERE[1] + round(reach * math.sin(angle)))
