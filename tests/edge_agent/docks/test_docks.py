"""From a camera put into a bay to the announcement, on directories."""

from __future__ import annotations

import hashlib
from pathlib import Path

import bagit

from edge_agent.docks import custody
from edge_agent.docks.states import State
from tests.edge_agent.docks.conftest import Running
from tests.fakes.cameras import Camera, Reporter, until


def sealed_on_disk(store: Path) -> set[str]:
    files = (path for path in (store / "bags").glob("*/data/**/*") if path.is_file())
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


async def test_three_recordings_are_copied_sealed_and_announced(
    tmp_path: Path, running: Running, reporter: Reporter
) -> None:
    camera = Camera(tmp_path / "aside", "CAM001")
    before = camera.image()
    async with running() as docks:
        camera.dock(tmp_path / "bay-1")
        await until(lambda: len(reporter.events("SEALED")) == 3)
        await until(lambda: docks.view()[0]["light"] == "done")
        await until(lambda: list((tmp_path / "store/bags").glob("*/tagmanifest-sha256.txt")))
        view = docks.view()[0]
        assert (view["files"], view["sealed"], view["camera"]) == (3, 3, "CAM001")
        assert view["bytes_done"] == view["bytes"] == sum(map(len, camera.files.values()))
        assert docks.view()[1] == {"bay": "bay-2", "number": 2, "state": "EMPTY", "light": "empty"}
        await until(lambda: {row.state for row in docks.ledger.recordings()} == {State.ANNOUNCED})
        verdict = custody.verify(docks.ledger.db, [docks.ledger.key.public_key()])
        assert verdict.fault is None and verdict.rows > 12
    assert {each["sha256"] for each in reporter.events("SEALED")} == camera.digests()
    assert sealed_on_disk(tmp_path / "store") == camera.digests()
    assert {each["B"] for each in reporter.sent} == {"bay-1"}
    camera.pull()
    assert camera.image() == before
    (bag,) = (tmp_path / "store/bags").iterdir()
    bagit.Bag(str(bag)).validate()
