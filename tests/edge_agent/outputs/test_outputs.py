from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, time
from pathlib import Path

import pytest

from edge_agent.buses import Buses
from edge_agent.buses.gpio import GpioBus
from edge_agent.buses.section import GpioSection
from edge_agent.outputs.announce import BEIJING, Play, is_quiet, next_play
from edge_agent.outputs.room import OutputFault, Outputs
from tests.edge_agent.sensors.rig import Kept, loaded
from tests.fakes.gpio_chip import FakeChip

SIREN = '[[output]]\nid = "siren"\nkind = "file"\npath = "siren"\n'


async def until_reads(path: Path, wanted: str, within_s: float = 3) -> None:
    def reads() -> bool:
        return path.exists() and path.read_text() == wanted

    async with asyncio.timeout(within_s):
        while not reads():  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0.01)


def made(tmp_path: Path, toml: str, chip: FakeChip | None = None) -> tuple[Outputs, Kept]:
    config, kept = loaded(tmp_path, toml), Kept()
    given = [GpioBus(GpioSection(name="pi", kind="gpio"), open_chip=chip.open)] if chip else []
    return Outputs(config.output, Buses(config.bus, given), kept), kept


@asynccontextmanager
async def running(outputs: Outputs) -> AsyncIterator[None]:
    room = asyncio.create_task(outputs.run())
    await asyncio.sleep(0)  # it starts with its failsafe, before anything else can run
    try:
        yield
    finally:
        room.cancel()
        await asyncio.gather(room, return_exceptions=True)


async def test_failsafe_at_both_ends(tmp_path: Path) -> None:
    outputs, _ = made(tmp_path, SIREN)
    room = asyncio.create_task(outputs.run())
    await until_reads(tmp_path / "siren", "off\n")
    await outputs.set("siren", True, "county-1")
    assert (tmp_path / "siren").read_text() == "on\n"
    room.cancel()
    await asyncio.gather(room, return_exceptions=True)
    assert (tmp_path / "siren").read_text() == "off\n"


async def test_who_asked_is_recorded(tmp_path: Path) -> None:
    outputs, kept = made(tmp_path, SIREN)
    room = asyncio.create_task(outputs.run())
    await outputs.set("siren", True, "county-1 00c0ffee")
    told = await kept.until("siren", lambda f: f["value"] == 1000)
    assert (told["text"], told["quality"]) == ("county-1 00c0ffee", "good")
    room.cancel()
    await asyncio.gather(room, return_exceptions=True)


async def test_a_siren_ends_by_itself_counted_from_the_last_request(tmp_path: Path) -> None:
    outputs, kept = made(tmp_path, SIREN + "max_on_s = 0.3\n")
    room = asyncio.create_task(outputs.run())
    await outputs.set("siren", True, "a")
    await asyncio.sleep(0.2)
    await outputs.set("siren", True, "b")
    await asyncio.sleep(0.2)
    assert outputs.is_on("siren")
    await until_reads(tmp_path / "siren", "off\n")
    await kept.until("siren", lambda f: f["text"] == "timer" and f["value"] == 0)
    room.cancel()
    await asyncio.gather(room, return_exceptions=True)


async def test_what_fails_is_told_to_who_asked_and_recorded(tmp_path: Path) -> None:
    outputs, kept = made(
        tmp_path,
        SIREN.replace('path = "', 'path = "dir/'),
    )
    (tmp_path / "dir").write_text("a file where a folder should be")
    room = asyncio.create_task(outputs.run())
    with pytest.raises(OutputFault, match="was not switched"):
        await outputs.set("siren", True, "a")
    assert (await kept.until("siren", lambda f: f["quality"] == "fault"))["text"] == "a"
    room.cancel()
    await asyncio.gather(room, return_exceptions=True)


async def test_an_output_that_is_not_there(tmp_path: Path) -> None:
    outputs, _ = made(tmp_path, SIREN)
    with pytest.raises(OutputFault, match="there are: siren"):
        await outputs.set("barrier", True, "a")


CHIP = '[[bus]]\nname = "pi"\nkind = "gpio"\n'
RELAY = '[[output]]\nid = "siren"\nkind = "gpio"\nbus = "pi"\nline = 27\nactive_low = true\n'
GATE = (
    '[[output]]\nid = "barrier"\nkind = "barrier"\nbus = "pi"\nopen_line = 5\nclose_line = 6\n'
    "pulse_s = 0.05\n"
)


async def test_a_relay_never_glitches_and_ends_off(tmp_path: Path) -> None:
    chip = FakeChip()
    outputs, _ = made(tmp_path, CHIP + RELAY, chip)
    async with running(outputs):
        await outputs.set("siren", True, "a")
        assert chip.driven[27] == 0
    assert [level for _, level in chip.history] == [1, 0, 1]  # off, on, off; active low
    assert not chip.requests


async def test_a_relay_whose_chip_is_gone_and_back(tmp_path: Path) -> None:
    chip = FakeChip()
    outputs, _ = made(tmp_path, CHIP + RELAY, chip)
    async with running(outputs):
        chip.lose()
        with pytest.raises(OutputFault, match="No such device"):
            await outputs.set("siren", True, "a")
        with pytest.raises(OutputFault, match="gpiodetect"):
            await outputs.set("siren", True, "a")
        chip.gone = False
        await outputs.set("siren", True, "a")
        assert chip.driven[27] == 0


async def test_a_barriers_buttons_are_pressed_never_both(tmp_path: Path) -> None:
    chip = FakeChip()
    outputs, _ = made(tmp_path, CHIP + GATE, chip)
    async with running(outputs):
        assert 1 not in [level for _, level in chip.history]  # nothing is pressed at the start
        await outputs.set("barrier", True, "a")
        assert (chip.driven[5], chip.driven[6]) == (1, 0)
        await outputs.set("barrier", False, "a")  # before the first press has ended
        assert (chip.driven[5], chip.driven[6]) == (0, 1)
        await asyncio.sleep(0.15)
        assert (chip.driven[5], chip.driven[6]) == (0, 0)
    assert not chip.requests


def speaker(tmp_path: Path, *player: str, more: str = "") -> str:
    folder = tmp_path / "recordings"
    folder.mkdir()
    (folder / "stop.wav").write_bytes(b"RIFF")
    words = ", ".join(f'"{word}"' for word in player)
    return (
        f'[[output]]\nid = "announce"\nkind = "announce"\nfolder = "{folder}"\n'
        f"player = [{words}]\npause_s = 0\n{more}"
    )


async def test_announce_repeats_and_records_both_ends(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    toml = speaker(tmp_path, "sh", "-c", f"basename {{file}} >> {heard}")
    outputs, kept = made(tmp_path, toml)
    async with running(outputs):
        await outputs.announce("stop.wav", 3, "county-1")
        await kept.until("announce", lambda f: f["value"] == 1000)
        done = await kept.until("announce", lambda f: f["value"] == 0)
        assert done["quality"] == "good" and done["text"] == "county-1: stop.wav x3"
        assert heard.read_text().split() == ["stop.wav"] * 3


@pytest.mark.parametrize("file", ["nothing.wav", "../outside.wav", "/etc/passwd"])
async def test_announce_what_is_not_there(tmp_path: Path, file: str) -> None:
    (tmp_path / "outside.wav").write_bytes(b"RIFF")
    outputs, _ = made(tmp_path, speaker(tmp_path, "true"))
    async with running(outputs):
        with pytest.raises(OutputFault, match=r"there are: stop.wav"):
            await outputs.announce(file, 1, "a")


@pytest.mark.parametrize(
    ("player", "words"), [("no-such-player", "alsa-utils"), ("false", "playing failed")]
)
async def test_a_player_that_fails_is_recorded(tmp_path: Path, player: str, words: str) -> None:
    outputs, kept = made(tmp_path, speaker(tmp_path, player))
    async with running(outputs):
        await outputs.announce("stop.wav", 1, "a")
        bad = await kept.until("announce", lambda f: f["quality"] == "fault")
        assert words in bad["why"]


async def test_silence_stops_the_player(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    outputs, kept = made(tmp_path, speaker(tmp_path, "sh", "-c", f"echo $$ > {pid}; sleep 60"))
    async with running(outputs):
        await outputs.announce("stop.wav", 1, "a")
        async with asyncio.timeout(5):
            while not (pid.exists() and pid.read_text()):  # noqa: ASYNC110 - a file has no event
                await asyncio.sleep(0.01)
        await outputs.set("announce", False, "b")
        await kept.until("announce", lambda f: "stopped" in f.get("why", ""))
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid.read_text()), 0)


async def test_announce_without_a_loudspeaker(tmp_path: Path) -> None:
    outputs, _ = made(tmp_path, SIREN)
    with pytest.raises(OutputFault, match="kind announce"):
        await outputs.announce("stop.wav", 1, "a")


def test_timetable_and_quiet_hours() -> None:
    plays = [Play(at=("07:30", "23:00"), file="a.wav"), Play(at=("19:00",), file="b.wav")]

    def after(hour: int, minute: int = 0) -> tuple[str, str] | None:
        found = next_play(
            plays, "22:00-06:00", datetime(2026, 11, 21, hour, minute, tzinfo=BEIJING)
        )
        return (f"{found[0]:%d %H:%M}", found[1].file) if found else None

    assert after(6) == ("21 07:30", "a.wav")
    assert after(7, 30) == ("21 19:00", "b.wav")
    assert after(19) == ("22 07:30", "a.wav")  # 23:00 is in quiet hours
    assert next_play([], None, datetime.now(BEIJING)) is None
    assert is_quiet("22:00-06:00", time(5, 59)) and not is_quiet("22:00-06:00", time(6))
    assert is_quiet("12:00-14:00", time(12)) and not is_quiet("12:00-14:00", time(11, 59))
