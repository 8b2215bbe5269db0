"""From a camera put into a bay to the announcement, on directories."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from edge_agent.docks.ledger import Ledger
from edge_agent.docks.states import State
from tests.edge_agent.docks.rig import Rig
from tests.fakes.cameras import until


async def test_three_recordings_are_copied_sealed_and_announced(tmp_path: Path) -> None:
    rig = Rig(tmp_path, hash=("sha256", "sm3"))
    camera = rig.camera("CAM001")
    before = camera.image()
    async with rig.running() as docks:
        camera.dock(rig.bay(1))
        await rig.all_sealed(docks, camera)
        await until(lambda: docks.view()[0]["light"] == "done")
        view = docks.view()[0]
        assert (view["files"], view["sealed"], view["camera"]) == (3, 3, "CAM001")
        assert view["bytes_done"] == view["bytes"] == sum(map(len, camera.files.values()))
        assert view["member"] == "000001"
        empty = {"bay": "bay-2", "number": 2, "state": "EMPTY", "says": "空", "light": "empty"}
        other = docks.view()[1]
        assert {key: value for key, value in other.items() if value} == empty
        assert other.keys() == view.keys(), "the last camera's keys would stay on the page"
        assert {row.state for row in docks.ledger.recordings()} == {State.ANNOUNCED}
        assert all(len(row.sm3 or "") == 64 for row in docks.ledger.recordings())
    told = rig.reporter.events("SEALED")
    assert sorted(each["sha256"] for each in told) == sorted(camera.digest_list())
    assert {each.get("member") for each in told} == {"000001", None}
    assert {each["B"] for each in rig.reporter.sent} == {"bay-1"}
    assert camera.image() == before
    rig.audit(camera)


async def test_a_camera_whose_files_name_nobody_is_its_carriers(tmp_path: Path) -> None:
    """Volunteers have no police number; the list of who carries what is in agent.toml."""
    rig = Rig(tmp_path, members={"VOL7": "王敏"})
    named = rig.camera("CAM001")
    camera = rig.camera("VOL7.1234-5678", files={b"DCIM/100MEDIA/IMAG0001.MP4": 1000})
    async with rig.running() as docks:
        camera.dock(rig.bay(1))
        named.dock(rig.bay(2))
        await rig.all_sealed(docks, camera, named)
        assert [bay["member"] for bay in docks.view()] == ["王敏", "000001"]
        assert docks.view()[0]["camera"] == "VOL7.1234-5678"
        assert {row.member for row in docks.ledger.recordings("camera = 'CAM001'")} == {
            "000001",
            None,
        }
        camera.pull()
        await until(lambda: docks.view()[0]["light"] == "empty")
        assert docks.view()[0]["member"] is docks.view()[0]["camera"] is None
    (told,) = (each for each in rig.reporter.events("SEALED") if each["B"] == "bay-1")
    assert told["member"] == "王敏"
    (bag,) = (rig.config.store / "bags").glob("*VOL7*/bag-info.txt")
    assert "Member: 王敏\n" in bag.read_text()
    rig.audit(camera, named)


async def test_the_event_loop_never_waits_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two commits take 3 s each, and a loop that shall turn every 5 ms goes on turning."""
    real = Ledger.transaction
    commits = count()

    @contextmanager
    def slow(self: Ledger) -> Generator[sqlite3.Connection]:
        with real(self) as db:
            yield db
            time.sleep(3.0 if next(commits) in (2, 9) else 0.0)

    rig = Rig(tmp_path)
    camera = rig.camera("CAM001", files={b"DCIM/A.mp4": 1000})
    loop = asyncio.get_running_loop()
    longest = 0.0
    async with rig.running() as docks:
        monkeypatch.setattr(Ledger, "transaction", slow)
        camera.dock(rig.bay(1))
        while not rig.reporter.events("SEALED"):
            before = loop.time()
            docks.view()
            await asyncio.sleep(0.005)
            longest = max(longest, loop.time() - before)
        monkeypatch.undo()
        await rig.all_sealed(docks, camera)
    assert longest < 2.0, f"the loop stood still for {longest:.2f} s"
    rig.audit(camera)
