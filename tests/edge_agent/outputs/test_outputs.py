from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from edge_agent.buses import Buses
from edge_agent.outputs.room import OutputFault, Outputs
from tests.edge_agent.sensors.rig import Kept, loaded

SIREN = '[[output]]\nid = "siren"\nkind = "file"\npath = "siren"\n'


async def until_reads(path: Path, wanted: str, within_s: float = 3) -> None:
    def reads() -> bool:
        return path.exists() and path.read_text() == wanted

    async with asyncio.timeout(within_s):
        while not reads():  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0.01)


def made(tmp_path: Path, toml: str) -> tuple[Outputs, Kept]:
    config, kept = loaded(tmp_path, toml), Kept()
    return Outputs(config.output, Buses(config.bus), kept), kept


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
