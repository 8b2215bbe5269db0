"""The watchdog, fed only when every task reports in, and what the vitals need: stalls and heap."""

import gc

from machine import WDT

from drivers.watched import said

BITES_MS = 30_000  # longer than the worst pause of any task, far shorter than a patrol


class Care:
    """`names`: of all tasks that report by watched.alive in their loops."""

    def __init__(self, clock, names, watchdog: bool = True):
        self._clock = clock
        self._left = {}  # name: ms until it must have reported
        for name in names:
            said[name] = 0
        self._watchdog = WDT(timeout=BITES_MS) if watchdog else None
        self._before = self._fed = clock.now_ms()  # when `beat` and `feed` came last
        self.stall_ms = 0  # longest delay of a beat, since `take`
        self.heap_low = gc.mem_free()

    def slept(self, ms: int) -> None:
        """The CPU slept so long: no stall."""
        self._before += ms

    def beat(self, every_ms: int) -> None:
        """To be called every so many ms: what more it takes, something else took."""
        now = self._clock.now_ms()
        self.stall_ms = max(self.stall_ms, now - self._before - every_ms)
        self._before = now

    def feed(self) -> bool:
        """Feed the watchdog if every task lives, and say so.

        A light sleep is shorter than its patience, and each task whose time came in it reports
        right after: who has not then is hung.
        """
        self.heap_low = min(self.heap_low, gc.mem_free())
        now = self._clock.now_ms()
        passed, self._fed = now - self._fed, now
        lives = True
        for name, for_ms in said.items():
            if for_ms is None:
                self._left[name] -= passed
            else:
                self._left[name] = BITES_MS // 2 + for_ms
                said[name] = None
            if self._left[name] <= 0:
                lives = False
        if lives and self._watchdog is not None:
            self._watchdog.feed()
        return lives

    def take(self) -> dict:
        """The vitals since the last call."""
        stall, self.stall_ms = self.stall_ms, 0
        low, self.heap_low = self.heap_low, gc.mem_free()
        return {"stall_ms": stall, "heap_free": gc.mem_free(), "heap_low": low}
