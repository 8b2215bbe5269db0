"""Every sensor of the checkpoint, polled whether or not the county can be reached.

    kind.run -> emit(Reading) -> Channel (what is worth telling) -> queue -> reporter -> outbox

A sensor never waits for the outbox: what it reads goes through a queue of its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from edge_agent.buses import Buses
from edge_agent.sensors.channel import Channel, Report
from edge_agent.sensors.kinds import kind_of
from edge_agent.sensors.reading import Fix, Reading
from edge_agent.sensors.section import SensorSection
from edge_agent.supervise import supervise
from patrol_contract import ContractError

log = logging.getLogger(__name__)

WAITING = 100  # reports of one sensor that may wait for a slow disk; then the oldest goes
RETRY_S = 1.0  # after the outbox refused
OLDEST = 946684800  # 2000-01-01, the contract's earliest time
LONGEST_WHY = 120  # characters, as in the contract


class Reporter(Protocol):
    """The seam to edge_agent/reporter.py."""

    async def report(
        self, name: str, who: Mapping[str, str], fields: Mapping[str, Any], /
    ) -> object: ...


class Sensors:
    """`reporter.report` returns once the report is durable; a failing one is tried again.

    `on_fix` is told what the checkpoint's own receiver says of place and time.
    """

    def __init__(
        self,
        sections: Iterable[SensorSection],
        buses: Buses,
        reporter: Reporter,
        *,
        on_fix: Callable[[Fix], object] = lambda _: None,
    ) -> None:
        self._sensors = [Sensor(section, buses, reporter, on_fix) for section in sections]

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for sensor in self._sensors:
                group.create_task(sensor.run(), name=f"sensor {sensor.section.id}")
            await asyncio.Event().wait()  # none is configured: that is no reason to end


class Sensor:
    """One sensor: its kind's loop, its channel, its queue."""

    def __init__(
        self,
        section: SensorSection,
        buses: Buses,
        reporter: Reporter,
        on_fix: Callable[[Fix], object],
    ) -> None:
        self.section = section
        self._on_fix = on_fix
        self._kind = kind_of(section)
        self._buses = buses
        self._reporter = reporter
        self._channel = Channel(section)
        self._queue: asyncio.Queue[Report] = asyncio.Queue(WAITING)
        self._timer: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """For ever. A kind that raises is started again and the sensor is marked faulty."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._send())
                group.create_task(supervise(self.section.id, self._read, self._broke))
        finally:
            if self._timer:
                self._timer.cancel()

    async def _read(self) -> None:
        await self._kind.run(self.section, self._buses, self.emit)

    def _broke(self, _name: str, why: str | None) -> None:
        if why is not None:
            self.emit(Reading(problem=f"传感器程序出错，已重启 / sensor program restarted: {why}"))

    def emit(self, reading: Reading) -> None:
        now = asyncio.get_running_loop().time()
        if reading.fix:
            self._on_fix(reading.fix)
        self._tell(self._channel.take(reading, now))
        self._arm(now)

    def _tick(self) -> None:
        now = asyncio.get_running_loop().time()
        self._timer = None
        self._tell(self._channel.tick(now))
        self._arm(now)

    def _arm(self, now: float) -> None:
        """One timer a sensor. One that fires too early finds nothing and arms the right one: so a
        reading need not move it."""
        due = self._channel.due(now)
        if due is None or (self._timer and self._timer.when() <= due):
            return
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(due, self._tick)

    def _tell(self, report: Report | None) -> None:
        if report is None:
            return
        if self._queue.full():
            log.warning("sensor %s: the outbox is too slow, a report was dropped", self.section.id)
            self._queue.get_nowait()
        self._queue.put_nowait(report)

    async def _send(self) -> None:
        while True:
            report = await self._queue.get()
            while not await self._sent(report):  # noqa: ASYNC110 - it is tried, not waited for
                await asyncio.sleep(RETRY_S)

    async def _sent(self, report: Report) -> bool:
        try:
            await self._reporter.report(
                "cp_sensor", {"S": self.section.id}, fields_of(self.section, report)
            )
        except ContractError as exc:
            log.error("sensor %s: %s", self.section.id, exc)  # again would be refused again
        except Exception:  # whatever the outbox has, the sensor keeps its report
            log.exception("sensor %s: not committed, trying again", self.section.id)
            return False
        return True


def fields_of(section: SensorSection, report: Report) -> dict[str, Any]:
    """A report as `cp_sensor` of the contract has it.

    A machine that came up in 1970 cannot say when it read: such a reading leaves as stale, without
    a time, rather than not at all.
    """
    measures, unit = section.told_as
    timed = report.read is not None and report.read >= OLDEST
    why = report.why
    if report.folded:
        counted = f"期间另有 {report.folded} 次变化 / {report.folded} more changes"
        why = f"{counted}; {why}" if why else counted
    fields = {
        "kind": measures,
        "value": report.value,
        "text": report.text,
        "unit": unit or None,
        "quality": report.quality if timed or report.quality == "fault" else "stale",
        "read": int(report.read) if timed and report.read else None,
        "alarm": report.alarm,
        "why": why[:LONGEST_WHY] if why else None,
    }
    return {name: value for name, value in fields.items() if value is not None}
