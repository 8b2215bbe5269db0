"""A known camera comes back, and what it holds is not what it held. Like scenarios.py."""

from __future__ import annotations

from pathlib import Path

from edge_agent.docks import release
from edge_agent.docks.states import State
from tests.edge_agent.docks.rig import MIB, Rig, unsealed
from tests.edge_agent.docks.scenarios import BIG
from tests.fakes.cameras import Camera, noise, until
from tests.fakes.faulty_source import Fault, faulty


def rewrite(camera: Camera, path: bytes, start: int, end: int, seed: object) -> bytes:
    """Other bytes in [start, end) of a file, its size and time as they were; the old content."""
    old = camera.files[path]
    camera.record(path, old[:start] + noise(end - start, seed) + old[end:])
    return old


async def middle_rewritten(folder: Path) -> None:
    """An ingested file is written over in place: same name, size, time and both ends.

    It is noticed when the camera is docked again, told, and kept as another recording; the third
    time neither is copied again.
    """
    rig = Rig(folder)
    camera = rig.camera("CAM001", files={BIG: 4 * MIB, b"DCIM/B.mp4": MIB})
    async with rig.running() as docks:
        camera.dock(rig.bay(1))
        await rig.all_sealed(docks, camera)
        old = rewrite(camera, BIG, MIB, 3 * MIB, "over")
        for bay in (2, 1):
            camera.pull()
            await until(lambda: all(row["light"] == "empty" for row in docks.view()))
            camera.dock(rig.bay(bay))
            await rig.all_sealed(docks, camera)
            await until(lambda bay=bay: docks.view()[bay - 1]["light"] == "done")
        (told,) = rig.reporter.events("REWRITTEN")
        assert "others than were copied before" in told["why"]
        copied = [row.docking for row in docks.ledger.journal() if row.kind == "COPYING"]
        assert sorted(copied) == [1, 1, 2]
    camera.files[b"before"] = old
    rig.audit(camera)


async def middle_rewritten_mid_resume(folder: Path) -> None:
    """Pulled at 60 %, written over in place, docked again: never half the one, half the other."""
    rig = Rig(folder)
    camera = rig.camera("CAM001", files={BIG: 8 * MIB})
    yank = Fault("call", at=5 * MIB, call=camera.pull)
    gone = Fault("error", at=5 * MIB + 1)
    async with rig.running(make_source=faulty(yank, gone)) as docks:
        camera.dock(rig.bay(1))
        await until(lambda: State.YANKED in unsealed(docks))
    rewrite(camera, BIG, MIB, 7 * MIB, "over")
    async with rig.running() as docks:
        camera.dock(rig.bay(2))
        await rig.all_sealed(docks, camera)
        assert len(rig.reporter.events("REWRITTEN")) == 1
        assert unsealed(docks) == [State.YANKED], "what is left of the old one is kept"
    rig.audit(camera)


async def one_byte_rewritten(folder: Path) -> None:
    """With redock = "whole" a single byte is enough, also in what was evicted here since."""
    rig = Rig(folder, redock="whole")
    camera = rig.camera("CAM001", files={BIG: 3 * MIB, b"DCIM/B.mp4": 2 * MIB + 1})
    async with rig.running() as docks:
        camera.dock(rig.bay(1))
        await rig.all_sealed(docks, camera)
        here, evicted = docks.ledger.recordings()
        release.confirm(docks.ledger, {"file": evicted.file, "sha256": evicted.sha256})
        docks.space.evict(docks.ledger.recordings("id = ?", evicted.id)[0])
        old = {path: rewrite(camera, path, MIB, MIB + 1, "one") for path in list(camera.files)}
        camera.pull()
        await until(lambda: docks.view()[0]["light"] == "empty")
        camera.dock(rig.bay(2))
        await rig.all_sealed(docks, camera)
        assert len(rig.reporter.events("REWRITTEN")) == 2
    camera.files[b"before"] = old[here.path]
    rig.audit(camera)


async def our_copy_is_spoilt(folder: Path) -> None:
    """The sealed copy rots; nobody says that the camera was written over."""
    rig = Rig(folder)
    camera = rig.camera("CAM001", files={BIG: 2 * MIB})
    async with rig.running() as docks:
        camera.dock(rig.bay(1))
        await rig.all_sealed(docks, camera)
        (row,) = docks.ledger.recordings()
        copy = rig.config.store / "bags" / (row.file or "")
        good = copy.read_bytes()
        copy.write_bytes(bytes(len(good)))
        camera.pull()
        await until(lambda: docks.view()[0]["light"] == "empty")
        camera.dock(rig.bay(2))
        await until(lambda: docks.view()[1]["light"] == "done")
        assert not rig.reporter.events("REWRITTEN")
        copy.write_bytes(good)
    rig.audit(camera)


REDOCK_SCENARIOS = (
    middle_rewritten,
    middle_rewritten_mid_resume,
    one_byte_rewritten,
    our_copy_is_spoilt,
)
