"""What leaves the docks: messages to the county, lamps in front of staff."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge_agent.docks import custody, relay
from edge_agent.docks.config import Bay, Lights
from edge_agent.docks.rows import Recording
from edge_agent.docks.states import State
from patrol_contract import messages
from tests.edge_agent.docks.rig import Rig
from tests.edge_agent.docks.test_ledger import ONE
from tests.fakes.cameras import Reporter, until


class Stubborn(Reporter):
    """An outbox whose disk refuses every third record, after taking it: the worst moment."""

    def __init__(self) -> None:
        super().__init__()
        self._n = 0

    async def report(self, name: str, params: Any, fields: Any, /) -> object:
        self._n += 1
        await super().report(name, params, fields)
        if self._n % 3 == 0:
            raise OSError("the disk is busy")
        return None


async def test_an_outbox_that_fails_gets_each_entry_again_under_the_same_number(
    tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr("edge_agent.supervise.FIRST_S", 0.01)
    monkeypatch.setattr("edge_agent.supervise.LONGEST_S", 0.02)
    rig = Rig(tmp_path)
    rig.reporter = Stubborn()
    camera = rig.camera("CAM001")
    async with rig.running() as docks:
        camera.dock(rig.bay(1))
        await rig.all_sealed(docks, camera)
    entries = [each["entry"] for each in rig.reporter.sent]
    assert len(entries) > len(set(entries)), "nothing was refused: the test proves nothing"
    rig.audit(camera)


async def test_only_what_the_county_needs_is_sent_and_all_of_it_fits_the_contract(
    tmp_path: Path,
) -> None:
    """Reporter() encodes each message, so a field that breaks the contract fails the scenario."""
    rig = Rig(tmp_path)
    camera = rig.camera("C" * 90, files={b"DCIM/" + "名".encode() * 80 + b".mp4": 1000})
    async with rig.running() as docks:
        camera.dock(rig.bay(1))
        await rig.all_sealed(docks, camera)
        kinds = {row.kind for row in docks.ledger.journal()}
    sent = {each["event"] for each in rig.reporter.sent}
    assert sent == kinds - relay.STAYS
    assert {"DETECTED", "MOUNTED_RO", "INVENTORIED", "SEALED"} <= sent
    (sealed,) = rig.reporter.events("SEALED")
    assert len(sealed["file"]) <= 400 and sealed["docking"] == f"{1:016x}"


class Board:
    """Outputs that remember; "broken" always fails."""

    def __init__(self) -> None:
        self.lit: dict[str, bool] = {}

    async def set(self, name: str, on: bool, who: str, /) -> object:
        if name == "broken":
            raise OSError("no such line")
        self.lit[name] = on
        return None


async def test_lamps_follow_the_bay_and_a_broken_one_darkens_no_other(
    tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr("edge_agent.supervise.FIRST_S", 0.01)
    lights = Lights(working="broken", done="green", problem="red")
    bay = Bay(number=1, directory=tmp_path / "bay-1", lights=lights)
    rig = Rig(tmp_path, bay=(bay,))
    camera, board = rig.camera("CAM001"), Board()
    async with rig.running(outputs=board) as docks:
        await until(lambda: board.lit == {"green": False, "red": False})
        camera.dock(rig.bay(1))
        await rig.all_sealed(docks, camera)
        await until(lambda: board.lit == {"green": True, "red": False})
        camera.pull()
        await until(lambda: board.lit == {"green": False, "red": False})
    assert docks.view()[0]["state"] == State.EMPTY


async def test_stopping_waits_for_no_camera(tmp_path: Path) -> None:
    """A camera that hangs must not keep the agent from stopping."""
    from tests.fakes.faulty_source import Fault, faulty

    rig = Rig(tmp_path)
    camera = rig.camera("CAM001")
    hang = Fault("hang", at=1_000_000)
    began = asyncio.get_running_loop().time()
    async with rig.running(make_source=faulty(hang)):
        camera.dock(rig.bay(1))
        await until(hang.met.is_set)
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - began < 8
    hang.free.set()


@pytest.mark.parametrize(
    ("kind", "at_ms", "detail", "recording"),
    [
        (State.DETECTED, 0, {"camera": ""}, None),  # 1970, and no serial number
        (State.INVENTORIED, 10**12, {"files": 0, "bytes": 0, "offset_s": 2_556_000_000}, None),
        (State.UNKNOWN_CAMERA, 10**12, {"why": "长" * 500, "camera": "x" * 500}, None),
        ("SKIPPED", 10**12, {"path": "\x00\n" * 300, "why": ""}, None),
        (State.SEALED, 10**12, {}, replace(ONE, member="m" * 90, camera="c" * 200, size=1 << 52)),
    ],
)
def test_no_row_is_refused_by_the_contract_and_holds_up_the_others(
    kind: str, at_ms: int, detail: dict[str, Any], recording: Recording | None
) -> None:
    text = json.dumps(detail)
    number = recording.id if recording else None
    row = custody.Row(1, at_ms, kind, "bay-1", 1, number, text, bytes(32), bytes(32), b"")
    message = relay.fields(row, recording)
    assert message
    messages.encode("cp_dock", {**message, "v": 1, "boot": "0" * 16, "seq": 1})
