"""When to report a sensor. Pure: readings and time in, reports out.

A report is due on the first reading, on a change beyond the deadband, on a change of quality or
alarm, on every event, and on the heartbeat. A bucket of `burst` reports that refills by one in
`min_gap_s` bounds them: what a chattering contact does meanwhile is counted and told in the next.
The time in a report is that of the *reading*: a heartbeat of an old value carries its old time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge_agent.sensors.alarm import Alarm
from edge_agent.sensors.reading import Reading
from edge_agent.sensors.section import SensorSection


@dataclass(frozen=True, slots=True)
class Report:
    """What is known of a sensor; `read` is None if it has never been read."""

    quality: str  # "good" | "stale" | "fault"
    value: int | None = None  # 1e-3 unit
    text: str | None = None
    read: float | None = None  # Unix seconds
    alarm: str | None = None
    why: str | None = None
    folded: int = 0  # changes since the last report that had no report of their own


class Channel:
    """One sensor's memory. `now` is monotonic seconds throughout."""

    def __init__(self, section: SensorSection) -> None:
        self._section = section
        self._alarm = Alarm(section.alarm)
        self._good: Reading | None = None
        self._good_at = 0.0
        self._problem: str | None = None
        self._recovered = False  # works again, but has said nothing yet
        self._sent: Report | None = None
        self._sent_at = -math.inf
        self._tokens = float(section.burst)
        self._tokens_at = 0.0
        self._held = False  # a report waits for a token
        self._folded = 0

    def take(self, reading: Reading, now: float) -> Report | None:
        """A new reading; returns what is to be reported now, if anything."""
        changed = False
        if reading.problem is not None:
            self._problem, self._recovered = reading.problem, False
        elif reading.empty:
            self._recovered = self._recovered or self._problem is not None
            self._problem = None
        else:
            changed = reading.event or self._differs(reading)
            # While a report waits, back to the value last told is a change too.
            changed = changed or (self._held and not _same(reading, self._good))
            self._problem, self._recovered = None, False
            self._good, self._good_at = reading, now
        return self._decide(now, reading.value, changed)

    def tick(self, now: float) -> Report | None:
        """Time has passed: heartbeat, staleness, a delayed alarm, a report that had to wait."""
        return self._decide(now, None, False)

    def due(self, now: float) -> float | None:
        """When tick() has something to do, if no reading comes."""
        times = [self._sent_at + self._section.heartbeat_s] if self._beats() else []
        if self._alarm.due is not None:
            times.append(self._alarm.due)
        if self._held:
            times.append(now + (1 - self._refill(now)) * self._section.min_gap_s)
        if self._quality(now) == "good" and self._section.stale_s is not None:
            times.append(self._good_at + self._section.stale_s)
        return max(min(times), now) if times else None

    def _decide(self, now: float, value: int | None, changed: bool) -> Report | None:
        quality = self._quality(now)
        if quality is None:
            return None
        alarm = self._alarm.step(value, quality == "fault", now)
        sent = self._sent
        changed = changed or sent is None or (quality, alarm) != (sent.quality, sent.alarm)
        heartbeat = self._beats() and now >= self._sent_at + self._section.heartbeat_s
        if not (changed or self._held or heartbeat):
            return None
        if self._refill(now) < 1:
            self._held = True
            self._folded += changed
            return None
        return self._send(now, quality, alarm)

    def _send(self, now: float, quality: str, alarm: str | None) -> Report:
        good = self._good
        report = Report(
            quality,
            good.value if good else None,
            good.text if good else None,
            good.at if good else None,
            alarm,
            self._problem,
            self._folded,
        )
        self._tokens -= 1
        self._sent, self._sent_at, self._held, self._folded = report, now, False, 0
        return report

    def _quality(self, now: float) -> str | None:
        if self._problem is not None:
            return "fault"
        if self._recovered:
            return "stale"
        if self._good is None:
            return None
        stale_s = self._section.stale_s
        return "stale" if stale_s is not None and now >= self._good_at + stale_s else "good"

    def _differs(self, reading: Reading) -> bool:
        """From what was last told, not from the last reading: a slow drift adds up."""
        sent = self._sent
        if sent is None or sent.value is None or reading.value is None:
            return sent is None or (sent.value, sent.text) != (reading.value, reading.text)
        return abs(reading.value - sent.value) > self._section.deadband

    def _beats(self) -> bool:
        """An event is told once; that the sensor is broken is told again and again."""
        if self._sent is None:
            return False
        return self._problem is not None or self._good is None or not self._good.event

    def _refill(self, now: float) -> float:
        gap, burst = self._section.min_gap_s, self._section.burst
        grown = (now - self._tokens_at) / gap if gap else burst
        self._tokens, self._tokens_at = min(self._tokens + grown, burst), now
        return self._tokens


def _same(new: Reading, old: Reading | None) -> bool:
    return old is not None and (new.value, new.text) == (old.value, old.text)
