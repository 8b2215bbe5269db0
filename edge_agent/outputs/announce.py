"""kind = "announce": 平安小喇叭, recorded files through ALSA: on request, or on a timetable.

Quiet hours hold for the timetable. A request comes from a person who has decided, so it is played.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence
from datetime import datetime, time, timedelta, timezone
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from edge_agent.buses import Buses
from edge_agent.outputs.section import OutputSection
from edge_agent.section import FilePath, Section

BEIJING = timezone(timedelta(hours=8))  # what a timetable on the wall means; no summer time


def _clock(text: str) -> str:
    try:
        time.fromisoformat(text)
    except ValueError as exc:
        raise ValueError(f"{text} 不是时刻，写 07:30 / {text} is no time, write 07:30") from exc
    return text


def _span(text: str) -> str:
    for part in text.split("-", 1) if "-" in text else [text]:
        _clock(part)
    if "-" not in text:
        raise ValueError(f"{text} 应写成 22:00-06:00 / {text}: write it as 22:00-06:00")
    return text


def _bare(name: str) -> str:
    if "/" in name or name.startswith("."):
        raise ValueError(f"{name}：只写文件名，不带路径 / {name}: a file name without a path")
    return name


ClockTime = Annotated[str, AfterValidator(_clock)]
FileName = Annotated[str, AfterValidator(_bare), Field(min_length=1, max_length=60)]


class Play(Section):
    """[[output.timetable]]"""

    at: tuple[ClockTime, ...] = Field(min_length=1, description='["07:30", "19:00"], UTC+8')
    file: FileName
    times: int = Field(1, ge=1, le=100)


class AnnounceSection(OutputSection):
    """[[output]] kind = "announce"."""

    kind: Literal["announce"]
    folder: FilePath = Field(description="where the recordings lie (.wav)")
    device: str = Field("default", description="ALSA device, see: aplay -L")
    player: tuple[str, ...] = Field(("aplay", "-q", "-D", "{device}", "{file}"), min_length=1)
    pause_s: float = Field(2, ge=0, le=600, description="between repetitions")
    quiet: Annotated[str, AfterValidator(_span)] | None = Field(
        None, description="22:00-06:00: the timetable is silent then"
    )
    timetable: tuple[Play, ...] = ()
    failsafe: Literal["off", "on", "keep"] = "off"


def is_quiet(span: str | None, at: time) -> bool:
    """Whether `at` lies in "22:00-06:00"; the end does not belong to it."""
    if span is None:
        return False
    begin, end = (time.fromisoformat(part) for part in span.split("-"))
    return begin <= at < end if begin <= end else at >= begin or at < end


def next_play(
    plays: Sequence[Play], quiet: str | None, after: datetime
) -> tuple[datetime, Play] | None:
    """The next entry strictly after `after` (aware) that is not in quiet hours."""
    local = after.astimezone(BEIJING)
    found: list[tuple[datetime, Play]] = []
    for play in plays:
        for at in map(time.fromisoformat, play.at):
            if is_quiet(quiet, at):
                continue
            due = datetime.combine(local.date(), at, BEIJING)
            found.append((due if due > local else due + timedelta(days=1), play))
    return min(found, key=lambda entry: entry[0]) if found else None


class AnnounceDrive:
    """One loudspeaker: a new announcement ends the one that runs."""

    momentary = True

    def __init__(self, section: AnnounceSection, _buses: Buses) -> None:
        self.section = section
        self._playing: asyncio.Task[str | None] | None = None

    def set(self, on: bool) -> None:
        """False is silence. Raises OSError for True: which file?"""
        if on:
            raise OSError("请指定录音文件 / say which recording: announce with file")
        if self._playing:
            self._playing.cancel()
            self._playing = None

    def close(self) -> None:
        self.set(False)

    def play(self, file: str, times: int) -> asyncio.Task[str | None]:
        """Starts playing; the task's result is why it failed, None if it was heard out.
        Raises OSError where there is no such recording."""
        path = self.section.folder / file
        if "/" in file or file.startswith(".") or not path.is_file():
            there = ", ".join(sorted(p.name for p in self.section.folder.glob("*.*"))) or "-"
            raise OSError(f"没有录音 {file}，现有 / no recording {file}; there are: {there}")
        self.set(False)
        words = {"device": self.section.device, "file": str(path)}
        command = [part.format_map(words) for part in self.section.player]
        self._playing = asyncio.create_task(self._repeat(command, times))
        return self._playing

    async def _repeat(self, command: list[str], times: int) -> str | None:
        for turn in range(times):
            if turn:
                await asyncio.sleep(self.section.pause_s)
            if why := await _played(command):
                return why
        return None


async def _played(command: list[str]) -> str | None:
    """One run of the player, its children included; killed when cancelled."""
    try:
        player = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # so that a wrapper's children are ended with it
        )
    except OSError as exc:
        return (
            f"播放程序无法启动 / cannot start {command[0]}, apt install alsa-utils: {exc.strerror}"
        )
    try:
        _, errors = await player.communicate()
    finally:
        if player.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(player.pid, signal.SIGKILL)
            await player.wait()
    if player.returncode:
        last = errors.decode(errors="replace").strip().splitlines()[-1:] or [""]
        return f"播放失败 / playing failed, see aplay -L for devices: {last[0]}"
    return None
