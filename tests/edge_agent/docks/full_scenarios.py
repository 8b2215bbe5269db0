"""The store's disk runs out of blocks or of inodes, on a real ext4 image. Root only.

Like scenarios.py: each function gets an empty folder and raises AssertionError. All end with room
being made, everything sealed, and an audit.
"""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from edge_agent.docks import release, room
from edge_agent.docks.docks import Docks
from edge_agent.docks.states import State
from tests.edge_agent.docks.rig import MIB, Rig
from tests.fakes import disk_images
from tests.fakes.cameras import until
from tests.fakes.faulty_source import Fault, faulty


@contextmanager
def small_disk(rig: Rig) -> Generator[Path]:
    """The rig's store on an ext4 file system of 48 MiB; a folder on it for what fills it."""
    with disk_images.Image(rig.folder / "store.img", "ext4", 48) as image:
        image.mount(rig.config.store)
        filler = rig.config.store / "filler"
        filler.mkdir()
        try:
            yield filler
        finally:
            room.SPARE_INODES = 8


def take_blocks(filler: Path, leave: int = 0) -> None:
    """Take the room on the disk but `leave` bytes."""
    free = os.statvfs(filler)
    with (filler / "blocks").open("ab") as file:
        size = free.f_bavail * free.f_frsize - leave
        try:
            if size > 0:
                os.posix_fallocate(file.fileno(), file.tell(), size)
        except OSError as error:  # somebody else had it first
            assert error.errno == errno.ENOSPC


def take_inodes(filler: Path, leave: int = 0) -> None:
    for n in range(os.statvfs(filler).f_favail - leave):
        try:
            os.mknod(filler / f"inode-{n}")
        except OSError as error:  # somebody else had it first
            assert error.errno == errno.ENOSPC


def make_room(filler: Path) -> None:
    for path in filler.iterdir():
        path.unlink()


def shows_no_space(docks: Docks) -> bool:
    row = docks.view()[0]
    return (row["state"], row["light"]) == (State.NO_SPACE, "problem")


async def disk_really_full(folder: Path) -> None:
    """ENOSPC from the kernel in the middle of a chunk; others finish; then there is room again."""
    rig = Rig(folder, bays=2)
    big = rig.camera("CAM001", files={b"DCIM/A.mp4": 24 * MIB})
    small = rig.camera("CAM002", files={b"DCIM/B.mp4": 20_000})
    with small_disk(rig) as filler:
        slow = Fault("slow", at=4 * MIB, suffix=b"A.mp4")
        async with rig.running(make_source=faulty(slow)) as docks:
            big.dock(rig.bay(1))
            await until(slow.met.is_set)
            take_blocks(filler, leave=3_300_000)
            slow.free.set()
            await until(lambda: rig.reporter.events("NO_SPACE"), 30)
            small.dock(rig.bay(2))
            await rig.all_sealed(docks, small)
            make_room(filler)
            await rig.all_sealed(docks, big, small)
        rig.audit(big, small)


async def no_inode_left(folder: Path) -> None:
    """Room for bytes, none for a file: forecast like any other want of room, and waited for."""
    await _no_inode(folder, spare=room.SPARE_INODES)


async def no_inode_for_the_part(folder: Path) -> None:
    """The same when nobody forecast it: the kernel refuses to make the file."""
    await _no_inode(folder, spare=0)


async def _no_inode(folder: Path, spare: int) -> None:
    rig = Rig(folder)
    camera = rig.camera("CAM001")
    with small_disk(rig) as filler:
        room.SPARE_INODES = spare
        async with rig.running() as docks:
            take_inodes(filler)
            camera.dock(rig.bay(1))
            await until(lambda: shows_no_space(docks))
            await until(lambda: len(rig.reporter.events("NO_SPACE")) >= len(camera.files))
            rows = len(docks.ledger.journal())
            await asyncio.sleep(2.0)
            assert len(docks.ledger.journal()) <= rows + 2, "it does not wait, it spins"
            make_room(filler)
            await rig.all_sealed(docks, camera)
            await until(lambda: docks.view()[0]["light"] == "done")
            assert docks.view()[0]["why"] is None
        rig.audit(camera)


async def no_inode_for_the_bag(folder: Path) -> None:
    """Copied, and no room for its folder in the bag; the camera is pulled; sealed without it."""
    rig = Rig(folder)
    camera = rig.camera("CAM001", files={b"DCIM/A.mp4": 3 * MIB})
    go_on = threading.Event()
    wait = Fault("call", at=MIB, call=lambda: go_on.wait(30))
    with small_disk(rig) as filler:
        room.SPARE_INODES = 0
        async with rig.running(make_source=faulty(wait)) as docks:
            camera.dock(rig.bay(1))
            await until(wait.met.is_set)
            take_inodes(filler)
            go_on.set()
            await until(lambda: shows_no_space(docks))
            assert [row.state for row in docks.ledger.recordings()] == [State.READBACK_OK]
            await until(lambda: rig.reporter.events("NO_SPACE"))
            camera.pull()
            await until(lambda: docks.view()[0]["light"] == "empty")
            make_room(filler)
            await rig.all_sealed(docks, camera)
        rig.audit(camera)


async def no_inode_for_the_tag_files(folder: Path) -> None:
    """Sealed, and no room for the manifest: staff are told, other work goes on, then a bag."""
    rig = Rig(folder)
    camera = rig.camera("CAM001", files={b"DCIM/A.mp4": MIB})
    go_on = threading.Event()
    wait = Fault("call", at=MIB // 2, call=lambda: go_on.wait(30))
    faults: dict[str, str | None] = {}
    with small_disk(rig) as filler:
        room.SPARE_INODES = 0
        async with rig.running(make_source=faulty(wait), fault=faults.__setitem__) as docks:
            camera.dock(rig.bay(1))
            await until(wait.met.is_set)
            take_inodes(filler, leave=3)  # the bag, its data, its DCIM
            go_on.set()
            await until(lambda: rig.reporter.events("SEALED"))
            await until(lambda: faults.get("docks disk") == room.SAYS)
            assert not docks.ledger.dockings()[0].bagged
            make_room(filler)
            await rig.all_sealed(docks, camera)
            await until(lambda: faults["docks disk"] is None)
        rig.audit(camera)


async def no_room_for_the_ledger(folder: Path) -> None:
    """Whatever is given back is taken at once by somebody else: not even a row can be written.

    Cameras come and go meanwhile. When there is room, what is there is ingested.
    """
    rig = Rig(folder)
    first, second = rig.camera("CAM001"), rig.camera("CAM002")
    stop = threading.Event()

    def greedy(filler: Path) -> None:
        while not stop.wait(0.005):
            take_blocks(filler)

    with small_disk(rig) as filler:
        async with rig.running() as docks:
            take_blocks(filler)
            eater = threading.Thread(target=greedy, args=(filler,))
            eater.start()
            try:
                first.dock(rig.bay(1))
                await until(lambda: shows_no_space(docks))
                first.pull()
                await asyncio.sleep(0.5)  # the bay may or may not be able to write that down
                second.dock(rig.bay(1))
                await until(lambda: shows_no_space(docks))
            finally:
                stop.set()
                eater.join()
            make_room(filler)
            await rig.all_sealed(docks, second)
            second.pull()
            await until(lambda: docks.view()[0]["light"] == "empty")
            first.dock(rig.bay(1))
            await rig.all_sealed(docks, first, second)
        rig.audit(first, second)


async def started_on_a_full_disk(folder: Path) -> None:
    """Not a block, not an inode: the ledger cannot be opened, and is not taken for corrupt."""
    rig = Rig(folder, bays=1)
    before, after = rig.camera("CAM001"), rig.camera("CAM002")
    faults: dict[str, str | None] = {}
    with small_disk(rig) as filler:
        async with rig.running() as docks:
            before.dock(rig.bay(1))
            await rig.all_sealed(docks, before)
        before.pull()
        take_inodes(filler)
        after.dock(rig.bay(1))
        async with rig.running(fault=faults.__setitem__) as docks:
            assert not docks.is_open and shows_no_space(docks)
            try:
                await docks.confirm({})
            except release.Refused:
                pass
            else:
                raise AssertionError("a confirmation was believed that nobody could write down")
            await until(lambda: faults.get("docks disk") == room.SAYS)
            make_room(filler)
            await until(lambda: docks.is_open)
            await rig.all_sealed(docks, before, after)
            assert faults["docks disk"] is None
        assert not list(rig.config.store.glob("*corrupt*"))
        rig.audit(before, after)


async def first_start_on_a_full_disk(folder: Path) -> None:
    """No key, no ledger, no folders yet, and no inode for any of them."""
    rig = Rig(folder, bays=1)
    camera = rig.camera("CAM001")
    with small_disk(rig) as filler:
        take_inodes(filler)
        async with rig.running() as docks:
            camera.dock(rig.bay(1))
            assert not docks.is_open and shows_no_space(docks)
            make_room(filler)
            await until(lambda: docks.is_open)
            await rig.all_sealed(docks, camera)
        rig.audit(camera)


FULL_SCENARIOS = (
    disk_really_full,
    no_inode_left,
    no_inode_for_the_part,
    no_inode_for_the_bag,
    no_inode_for_the_tag_files,
    no_room_for_the_ledger,
    started_on_a_full_disk,
    first_start_on_a_full_disk,
)
