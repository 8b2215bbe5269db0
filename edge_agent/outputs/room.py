"""What the checkpoint can switch: siren, barrier, lamp. Who asked and what came of it is recorded.

await outputs.set("siren", True, "county-1 00c0ffee…")
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from edge_agent.buses import Buses
from edge_agent.buses.port import BusFault
from edge_agent.outputs.announce import AnnounceDrive, next_play
from edge_agent.outputs.kinds import Drive, kind_of
from edge_agent.outputs.section import OutputSection
from edge_agent.sensors.room import Reporter

log = logging.getLogger(__name__)

RENEW_S = 30.0  # the wanted state is set again: a relay board that lost power comes back
WAITING = 1000  # records that may wait for the outbox; then the oldest goes


class OutputFault(Exception):
    """It was not switched. str() is one sentence for whoever asked."""


class Outputs:
    """All outputs by id; `reporter` records each change as a `cp_sensor` of the output's id."""

    def __init__(
        self,
        sections: Iterable[OutputSection],
        buses: Buses,
        reporter: Reporter | None = None,
    ) -> None:
        self._all = {section.id: Output(section, buses, self._record) for section in sections}
        self._reporter = reporter
        self._records: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue(WAITING)

    def __contains__(self, name: str) -> bool:
        return name in self._all

    def is_on(self, name: str) -> bool:
        return self._all[name].on

    async def set(self, name: str, on: bool, who: str) -> None:
        """Switch; returns once it is switched. Raises OutputFault. Both ends are recorded, and
        not waited for: a siren does not wait for a disk."""
        output = self._all.get(name)
        if output is None:
            there = ", ".join(self._all) or "-"
            raise OutputFault(f"没有输出 {name}，现有 / no output {name}; there are: {there}")
        if why := output.switch(on, who):
            raise OutputFault(why)

    async def announce(self, file: str, times: int, who: str) -> None:
        """Play a recording; returns once it plays. Raises OutputFault. How it ended is recorded."""
        speaker = next((o for o in self._all.values() if o.speaker), None)
        if speaker is None:
            raise OutputFault("没有喇叭，请加 [[output]] / no [[output]] of kind announce")
        if why := speaker.play(file, times, who):
            raise OutputFault(why)

    async def run(self) -> None:
        """Failsafe at both ends, the wanted state renewed in between, for ever."""
        for output in self._all.values():
            output.fail_safe()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._renew())
                group.create_task(self._send())
                for output in self._all.values():
                    group.create_task(output.keep_timetable())
        finally:
            for output in self._all.values():
                output.fail_safe()
                output.close()

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            for output in self._all.values():
                output.renew()

    async def _send(self) -> None:
        while True:
            name, fields = await self._records.get()
            if self._reporter is None:
                continue
            try:
                await self._reporter.report("cp_sensor", {"S": name}, fields)
            except Exception:  # whatever the outbox has: the switching itself is done and logged
                log.exception("output %s: its record was not committed", name)

    def _record(self, section: OutputSection, on: bool, who: str, why: str | None) -> None:
        log.info("output %s %s for %s: %s", section.id, "on" if on else "off", who, why or "done")
        if self._records.full():
            self._records.get_nowait()
        fields: dict[str, Any] = {
            "kind": "output",
            "value": 1000 * on,
            "text": who[:200] or "?",
            "quality": "fault" if why else "good",
            "read": int(time.time()),
        }
        if why:
            fields["why"] = why[:120]
        self._records.put_nowait((section.id, fields))


Record = Callable[[OutputSection, bool, str, str | None], None]


class Output:
    """One thing that is switched, and the timer that switches it off."""

    def __init__(self, section: OutputSection, buses: Buses, record: Record) -> None:
        self.section = section
        self.on = section.failsafe == "on"
        self._record = record
        self._drive: Drive = kind_of(section).drive(section, buses)
        self._timer: asyncio.TimerHandle | None = None

    def switch(self, on: bool, who: str) -> str | None:
        """Returns why it failed. A siren that is asked for twice stays on from the second time."""
        why = self._set(on)
        self._record(self.section, on, who, why)
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if on and self.section.max_on_s:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self.section.max_on_s, self.switch, False, "timer")
        return why

    @property
    def speaker(self) -> AnnounceDrive | None:
        return self._drive if isinstance(self._drive, AnnounceDrive) else None

    def play(self, file: str, times: int, who: str) -> str | None:
        """Returns why it does not begin; its end is recorded."""
        speaker = self.speaker
        assert speaker is not None
        what = f"{who}: {file} x{times}"
        try:
            playing = speaker.play(file, times)
        except OSError as exc:
            self._record(self.section, False, what, str(exc))
            return str(exc)
        self._record(self.section, True, what, None)

        def ended(task: asyncio.Task[str | None]) -> None:
            why = "已中止 / stopped before its end" if task.cancelled() else task.result()
            self._record(self.section, False, what, why)

        playing.add_done_callback(ended)
        return None

    async def keep_timetable(self) -> None:
        """Play what is due, for ever. The wait is short, so that a clock that is set late or
        corrected moves the next announcement with it."""
        if self.speaker is None:
            return
        section = self.speaker.section
        after = datetime.now(UTC)
        while due := next_play(section.timetable, section.quiet, after):
            at, play = due
            while (left := (at - datetime.now(UTC)).total_seconds()) > 0:  # noqa: ASYNC110
                await asyncio.sleep(min(left, RENEW_S))
            self.play(play.file, play.times, "timetable")
            after = max(at, datetime.now(UTC))

    def renew(self) -> None:
        if not self._drive.momentary and (why := self._set(self.on)):
            log.warning("%s", why)

    def fail_safe(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self.section.failsafe != "keep" and (why := self._set(self.section.failsafe == "on")):
            log.error("%s", why)

    def close(self) -> None:
        self._drive.close()

    def _set(self, on: bool) -> str | None:
        # Wanted even if it fails now: renew() tries again.
        self.on = on
        try:
            self._drive.set(on)
        except (OSError, BusFault) as exc:
            return f"{self.section.name or self.section.id} 未能动作 / was not switched: {exc}"
        return None
