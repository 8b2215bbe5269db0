"""The watchdog, fed only when every task reports in, and what the vitals need: stalls and heap."""

import asyncio
import gc

from machine import WDT

BITES_MS = 30_000  # longer than the worst pause of any task, far shorter than a patrol
_STEP_MS = 50


class Care:
    """alive(name) is called by each task in its loop; `names`: all of them."""

    def __init__(self, clock, names, watchdog: bool = True):
        self._clock = clock
        self._seen = {name: 0 for name in names}
        self._watchdog = WDT(timeout=BITES_MS) if watchdog else None
        self._before = clock.now_ms()  # when this task ran last
        self.stall_ms = 0  # longest gap of this task, since `take`
        self.heap_low = gc.mem_free()

    def alive(self, name: str, for_ms: int = 0) -> None:
        """`for_ms`: it now waits for something that long at most."""
        self._seen[name] = self._clock.now_ms() + for_ms

    def slept(self, ms: int) -> None:
        """The CPU slept so long: no stall."""
        self._before += ms

    def feed(self) -> bool:
        """Feed the watchdog if every task lives, and say so.

        A light sleep is shorter than its patience, and each task whose time came in it reports
        right after: who has not then is hung.
        """
        lives = min(self._seen.values()) > self._clock.now_ms() - BITES_MS // 2
        if lives and self._watchdog is not None:
            self._watchdog.feed()
        return lives

    def take(self) -> dict:
        """The vitals since the last call."""
        stall, self.stall_ms = self.stall_ms, 0
        low, self.heap_low = self.heap_low, gc.mem_free()
        return {"stall_ms": stall, "heap_free": gc.mem_free(), "heap_low": low}

    async def run(self):
        self._before = self._clock.now_ms()
        while True:
            await asyncio.sleep_ms(_STEP_MS)
            now = self._clock.now_ms()
            self.stall_ms = max(self.stall_ms, now - self._before - _STEP_MS)
            self.heap_low = min(self.heap_low, gc.mem_free())
            self._before = now
            self.feed()
