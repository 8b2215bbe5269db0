"""How fast one unit may speak. Pure."""

from __future__ import annotations


class Bucket:
    """A token bucket: `rate` tokens a second, at most `burst` saved up. Times in seconds."""

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self.rate, self.burst = rate, burst
        self._tokens, self._at = burst, now

    def take(self, now: float) -> float:
        """Take one token; returns the seconds to wait first, 0 when there was one."""
        self._tokens = min(self.burst, self._tokens + (now - self._at) * self.rate) - 1
        self._at = now
        return 0.0 if self._tokens >= 0 else -self._tokens / self.rate
