"""What the box itself may do: its disk, its database, its own end. Like scenarios.py."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from edge_agent.docks import chunks, ingest
from tests.edge_agent.docks.rig import MIB, Rig
from tests.edge_agent.docks.scenarios import BIG, reused
from tests.fakes.cameras import until
from tests.fakes.faulty_source import Fault, faulty


@contextmanager
def held_read_back() -> Generator[threading.Event]:
    """Every read-back waits for the event: what happens meanwhile is the scenario."""
    original, go_on = chunks.check, threading.Event()

    def check(path: Path, marks: chunks.MARKS, sm3: bool = False) -> chunks.Checked:
        if marks:
            go_on.wait(10)
        return original(path, marks, sm3)

    chunks.check = check
    try:
        yield go_on
    finally:
        chunks.check = original


async def planted_corruption(folder: Path) -> None:
    """Bytes that changed on our disk after they were written: MISMATCH, and copied again."""
    rig = Rig(folder)
    camera = rig.camera("CAM001", files={BIG: 3 * MIB})
    original, planted = ingest.finish, threading.Event()

    def plant_then_finish(ledger, kept, recording, sm3):  # type: ignore[no-untyped-def]
        if not planted.is_set():
            planted.set()
            with kept.part(recording).open("r+b") as part:
                part.seek(MIB + 100)
                part.write(b"planted")
        return original(ledger, kept, recording, sm3)

    ingest.finish = plant_then_finish
    try:
        async with rig.running() as docks:
            camera.dock(rig.bay(1))
            await rig.all_sealed(docks, camera)
            (told,) = rig.reporter.events("MISMATCH")
            assert f"bytes {MIB} to {2 * MIB}" in told["why"]
            kinds = [row.kind for row in docks.ledger.journal()]
            assert kinds.index("MISMATCH") < kinds.index("SEALED")
    finally:
        ingest.finish = original
    rig.audit(camera)


async def disk_full_in_one_bay(folder: Path) -> None:
    """No room for one camera's recording: told, waited for, finished; the others go on."""
    rig = Rig(folder, bays=3)
    big = rig.camera("CAM001", files={BIG: 6 * MIB})
    small = [rig.camera(f"CAM10{n}", files={b"DCIM/S.mp4": MIB}) for n in range(2)]
    async with rig.running() as docks:
        kept, limit = docks.store, [4 * MIB]

        def free_bytes() -> int:
            used = sum(p.stat().st_size for p in kept.root.rglob("*") if p.suffix != ".db-wal")
            return max(0, limit[0] - used)

        kept.free_bytes = free_bytes  # type: ignore[method-assign]
        big.dock(rig.bay(1))
        await until(lambda: rig.reporter.events("NO_SPACE"))
        for n, camera in enumerate(small, 2):
            camera.dock(rig.bay(n))
        await rig.all_sealed(docks, *small)
        assert docks.view()[0]["light"] == "problem"
        limit[0] = 100 * MIB
        await rig.all_sealed(docks, big, *small)
    rig.audit(big, *small)


async def stopped_and_started(folder: Path) -> None:
    """The agent stops mid-file with the camera in; after the start it goes on by itself."""
    rig = Rig(folder)
    camera = rig.camera("CAM001", files={BIG: 6 * MIB})
    slow = Fault("slow", at=3 * MIB)
    camera.dock(rig.bay(1))
    async with rig.running(make_source=faulty(slow)):
        await until(slow.met.is_set)
    async with rig.running() as docks:
        await rig.all_sealed(docks, camera)
        assert reused(docks.ledger.journal()) >= 2
    rig.audit(camera)


async def copied_then_pulled(folder: Path) -> None:
    """Pulled after the last byte, before the read-back: finished without the camera."""
    rig = Rig(folder)
    camera = rig.camera("CAM001", files={BIG: 3 * MIB})
    with held_read_back() as go_on:
        async with rig.running() as docks:
            camera.dock(rig.bay(1))
            await until(lambda: any(r.copied == r.size for r in docks.ledger.recordings()))
            camera.pull()
            await until(lambda: rig.reporter.events("EMPTY"))
            go_on.set()
            await rig.all_sealed(docks, camera)
    rig.audit(camera)


def _spoil(database: Path) -> None:
    for suffix in ("-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    database.write_bytes(b"\0" * 4096 + database.read_bytes()[4096:])


async def corrupt_ledger(folder: Path) -> None:
    """The database is spoilt: set aside, and the dock works; sealed bags stay valid."""
    rig = Rig(folder)
    first, second = rig.camera("CAM001"), rig.camera("CAM002")
    async with rig.running() as docks:
        first.dock(rig.bay(1))
        await rig.all_sealed(docks, first)
    first.pull()
    _spoil(rig.config.store / "ledger.db")
    rig.reporter.sent.clear()
    async with rig.running() as docks:
        second.dock(rig.bay(1))
        await rig.all_sealed(docks, second)
        assert list(rig.config.store.glob("ledger.db.corrupt-*"))
        assert [d.id for d in docks.ledger.dockings()] == [2], "a bag's number came twice"
    rig.audit(second)


async def slow_disk_is_no_hung_camera(folder: Path) -> None:
    """A read-back that takes longer than stall_s: nobody is told to pull the camera out."""
    rig = Rig(folder, stall_s=5)
    rig.config = rig.config.model_copy(update={"stall_s": 0.2})
    camera = rig.camera("CAM001", files={BIG: MIB})
    with held_read_back() as go_on:
        async with rig.running() as docks:
            camera.dock(rig.bay(1))
            await until(lambda: any(row.all_here for row in docks.ledger.recordings()))
            await asyncio.sleep(0.5)  # longer than stall_s
            assert docks.view()[0]["light"] == "working", docks.view()[0]
            go_on.set()
            await rig.all_sealed(docks, camera)
    rig.audit(camera)


async def copied_pulled_and_docked_again(folder: Path) -> None:
    """Pulled after the last byte and back in another bay while it is being read back: sealed once,
    in the bag of the docking that copied it."""
    rig = Rig(folder)
    camera = rig.camera("CAM001", files={BIG: 3 * MIB})
    with held_read_back() as go_on:
        async with rig.running() as docks:
            camera.dock(rig.bay(1))
            await until(lambda: any(row.all_here for row in docks.ledger.recordings()))
            camera.pull()
            await until(lambda: rig.reporter.events("EMPTY"))
            camera.dock(rig.bay(2))
            await until(lambda: len(rig.reporter.events("INVENTORIED")) == 2)
            go_on.set()
            await rig.all_sealed(docks, camera)
            await until(lambda: docks.view()[1]["light"] == "done")
            (row,) = docks.ledger.recordings()
            assert row.file and row.file.startswith("000001-bay-1-")
    rig.audit(camera)


BOX_SCENARIOS = (
    planted_corruption,
    disk_full_in_one_bay,
    stopped_and_started,
    copied_then_pulled,
    corrupt_ledger,
    slow_disk_is_no_hung_camera,
    copied_pulled_and_docked_again,
)
