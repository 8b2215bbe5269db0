"""Alarm limits with hysteresis and delay. Pure: values and time in, the alarm's name out.

           value >= high            held for delay_s
    quiet ---------------> waiting ------------------> raised
      ^  <--------------------'                           |
      '------------ value < high - hysteresis ------------'

`low` mirrors `high`; `on` is a limit without hysteresis; `fault` watches the sensor itself. A
sensor that fails keeps its last alarm: smoke whose detector burnt is still smoke.
"""

from __future__ import annotations

from edge_agent.sensors.section import AlarmSection


class Alarm:
    """One sensor's alarm state."""

    def __init__(self, limits: AlarmSection | None) -> None:
        self._limits = limits or AlarmSection.model_validate({})
        self.raised: str | None = None  # "high" | "low" | "on" | "fault"
        self._waiting: str | None = None
        self._since = 0.0

    def step(self, value: int | None, failed: bool, now: float) -> str | None:
        """value: in 1e-3 unit, None if there is none new; now: monotonic seconds."""
        wanted = self._wanted(value, failed)
        if wanted is None or wanted == self.raised:
            self.raised, self._waiting = wanted, None
        elif wanted != self._waiting:
            self._waiting, self._since = wanted, now
        if self._waiting and now >= self._since + self._limits.delay_s:
            self.raised, self._waiting = self._waiting, None
        return self.raised

    @property
    def due(self) -> float | None:
        """When a waiting alarm becomes one, if nothing else happens."""
        return self._since + self._limits.delay_s if self._waiting else None

    def _wanted(self, value: int | None, failed: bool) -> str | None:
        limits = self._limits
        if failed:
            if self.raised not in (None, "fault"):
                return self.raised
            return "fault" if limits.fault else None
        if value is None:
            return self._waiting or self.raised
        if limits.high is not None and value >= self._edge("high", limits.high):
            return "high"
        if limits.low is not None and value <= self._edge("low", limits.low):
            return "low"
        if limits.on is not None and bool(value) is limits.on:
            return "on"
        return None

    def _edge(self, name: str, limit: int) -> int:
        """The limit, moved back by the hysteresis while its alarm is raised."""
        if self.raised != name:
            return limit
        back = self._limits.hysteresis
        return limit - back if name == "high" else limit + back
