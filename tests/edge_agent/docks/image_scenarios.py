"""Cameras and stores as real file systems on loop devices, mounted as on a checkpoint. Root only.

Like scenarios.py: each function gets an empty folder and raises AssertionError.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from edge_agent.docks import chunks, ingest, mount
from edge_agent.docks.devices import Change, Device
from edge_agent.docks.ledger import Ledger
from edge_agent.docks.mount import RootMounter, flags
from edge_agent.docks.states import State
from edge_agent.docks.store import Store
from tests.edge_agent.docks.rig import MIB, Rig
from tests.fakes import disk_images
from tests.fakes.cameras import Camera, noise, until
from tests.fakes.faulty_source import Fault, faulty

FILES = {
    "DCIM/DCAM_CAM001_000001_20260804_100000_IMP.mp4": noise(3 * MIB, 1),
    "DCIM/" + "长" * 120 + ".mp4": noise(70_000, 2),  # 364 bytes of UTF-8: ext4 has no such name
    "DCIM/B.mp4": noise(MIB, 3),
}
SHORT = {name: content for name, content in FILES.items() if "长" not in name}  # fusefat's limit


class Hands:
    """A DeviceSource that a test moves: put(bay, device)."""

    def __init__(self) -> None:
        self.changes: list[Change] = []

    def poll(self, timeout_s: float) -> list[Change]:
        time.sleep(min(timeout_s, 0.05))
        found, self.changes = self.changes, []
        return found

    def put(self, bay: str, device: Device | None) -> None:
        self.changes.append(Change(bay, (device,) if device else ()))


@contextmanager
def mounting(folder: Path) -> Generator[RootMounter]:
    """Nothing stays mounted below `folder`, whatever happened."""
    try:
        yield RootMounter(folder / "mounts")
    finally:
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            at = line.split(" ")[4]
            if at.startswith(str(folder / "mounts")):
                disk_images.run("umount", "--lazy", at)


def twin(folder: Path, files: dict[str, bytes]) -> Camera:
    """A Camera that holds in memory what the image holds, for the audit."""
    camera = Camera(folder / "aside", "twin", {})
    camera.files = {name.encode(): content for name, content in files.items()}
    return camera


async def exfat_unchanged(folder: Path) -> None:
    """exFAT through exfat-fuse: all of it ingested, not one bit of the device changed."""
    await _unchanged(folder, "exfat", FILES)


async def fat32_unchanged(folder: Path) -> None:
    """FAT32 through fusefat: the same."""
    await _unchanged(folder, "vfat", SHORT)


async def _unchanged(folder: Path, kind: str, files: dict[str, bytes]) -> None:
    rig, hands, camera = Rig(folder), Hands(), twin(folder, files)
    with mounting(folder) as mounter, disk_images.Image(folder / "c.img", kind, 64) as image:
        image.fill(files, folder / "fill")
        before = image.digest()
        device = Device("bay-1", "CAM001.1234-5678", node=image.node, filesystem=kind)
        async with rig.running(devices=hands, mounter=mounter) as docks:
            hands.put("bay-1", device)
            await rig.all_sealed(docks, camera, within_s=30)
            at = folder / "mounts/bay-1" / Path(image.node).name
            on = flags(at) or set()
            assert {"ro", "noexec", "nosuid", "nodev"} <= on
            assert disk_images.run("blockdev", "--getro", image.node).strip() == "1"
            hands.put("bay-1", None)
            await until(lambda: docks.view()[0]["light"] == "empty")
            assert flags(at) is None
        assert image.digest() == before
    rig.audit(camera)


async def device_dies_under_the_mount(folder: Path) -> None:
    """The device ends mid-file under exfat-fuse, as a pulled reader: real errors from the kernel.

    Then the camera is docked whole in another bay.
    """
    files = {"DCIM/A.mp4": noise(24 * MIB, 4)}
    rig, hands, camera = Rig(folder), Hands(), twin(folder, files)
    path, whole = folder / "camera.img", folder / "whole.img"
    with mounting(folder) as mounter:
        with disk_images.Image(path, "exfat", 64) as image:
            image.fill(files, folder / "fill")
            image.copy(whole)
        with disk_images.Image(path, "exfat", 64) as image:
            async with rig.running(devices=hands, mounter=mounter) as docks:
                hands.put("bay-1", Device("bay-1", "CAM001", node=image.node, filesystem="exfat"))
                await until(lambda: any(row.copied > 4 * MIB for row in docks.ledger.recordings()))
                with path.open("r+b") as file:
                    file.truncate(8 * MIB)
                hands.put("bay-1", None)
                await until(lambda: docks.view()[0]["light"] == "empty", 30)
                assert not rig.reporter.events("SEALED") or whole.exists()
        hands = Hands()  # the old ones may still be in a poll
        with disk_images.Image(whole, "exfat", 64) as image:
            async with rig.running(devices=hands, mounter=mounter) as docks:
                hands.put("bay-2", Device("bay-2", "CAM001", node=image.node, filesystem="exfat"))
                await rig.all_sealed(docks, camera, within_s=30)
    rig.audit(camera)


async def no_file_system(folder: Path) -> None:
    """A stick that nothing can read: UNKNOWN_CAMERA, shown and told."""
    rig, hands = Rig(folder), Hands()
    blank = folder / "blank.img"
    blank.write_bytes(bytes(4 * MIB))
    node = disk_images.run("losetup", "--find", "--show", blank).strip()
    try:
        with mounting(folder) as mounter:
            async with rig.running(devices=hands, mounter=mounter) as docks:
                hands.put("bay-1", Device("bay-1", "X", node=node))
                await until(lambda: rig.reporter.events("UNKNOWN_CAMERA"))
                assert docks.view()[0]["light"] == "problem"
    finally:
        disk_images.run("blockdev", "--setrw", node)
        disk_images.run("losetup", "--detach", node)


async def corruption_under_the_page_cache(folder: Path) -> None:
    """The disk changes a block while memory still holds what we wrote: caught before SEALED.

    With a read-back through the page cache the same block is believed: that is the control.
    """
    await _planted_below(folder / "cold", cold=True)
    try:
        await _planted_below(folder / "warm", cold=False)
    except AssertionError:
        return
    raise AssertionError("a warm read-back noticed too: the corruption was not under the cache")


async def _planted_below(folder: Path, cold: bool) -> None:
    rig = Rig(folder)
    camera = rig.camera("CAM001", files={b"DCIM/A.mp4": 3 * MIB})
    (content,) = camera.files.values()
    needle, original = content[MIB + 4096 : MIB + 8192], (ingest.finish, chunks.cold)
    planted = False

    with disk_images.Image(folder / "store.img", "ext4", 64) as image:
        image.mount(rig.config.store)

        def plant(ledger: Ledger, kept: Store, recording: str, sm3: bool) -> State:
            nonlocal planted
            if not planted:
                planted = True
                below = image.path.read_bytes().index(needle)
                with image.path.open("r+b") as disk:
                    disk.seek(below)
                    disk.write(b"rotten")
            return original[0](ledger, kept, recording, sm3)

        def warm(path: Path) -> Generator[memoryview]:
            with path.open("rb") as file:
                while block := file.read(MIB):
                    yield memoryview(block)

        ingest.finish = plant
        chunks.cold = original[1] if cold else warm
        try:
            async with rig.running() as docks:
                camera.dock(rig.bay(1))
                await rig.all_sealed(docks, camera)
                assert planted and len(rig.reporter.events("MISMATCH")) == 1
        finally:
            ingest.finish, chunks.cold = original
        rig.audit(camera)


async def disk_really_full(folder: Path) -> None:
    """ENOSPC from the kernel in the middle of a chunk; others finish; then there is room again."""
    rig = Rig(folder, bays=2)
    big = rig.camera("CAM001", files={b"DCIM/A.mp4": 24 * MIB})
    small = rig.camera("CAM002", files={b"DCIM/B.mp4": 20_000})
    with disk_images.Image(folder / "store.img", "ext4", 48) as image:
        image.mount(rig.config.store)
        filler = rig.config.store / "filler"
        slow = Fault("slow", at=4 * MIB, suffix=b"A.mp4")
        async with rig.running(make_source=faulty(slow)) as docks:
            big.dock(rig.bay(1))
            await until(slow.met.is_set)
            _fill(filler, leave=3_300_000)
            slow.free.set()
            await until(lambda: rig.reporter.events("NO_SPACE"), 30)
            small.dock(rig.bay(2))
            await rig.all_sealed(docks, small)
            filler.unlink()
            await rig.all_sealed(docks, big, small)
        rig.audit(big, small)


def _fill(path: Path, leave: int) -> None:
    """Take the room on the disk but `leave` bytes."""
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(path.parent).free - leave)


async def flag_missing(folder: Path) -> None:
    """A mount that misses one of ro, noexec, nosuid, nodev is taken down again and refused."""
    with (
        mounting(folder) as mounter,
        disk_images.Image(folder / "camera.img", "exfat", 16) as image,
    ):
        shown = iter([None, {"ro", "nosuid"}, {"ro"}])  # before, after, when taking it down
        mount.flags = lambda at: next(shown)
        try:
            mounter.mount(Device("bay-1", "X", node=image.node, filesystem="exfat"))
        except mount.MountRefused as refused:
            assert "nodev, noexec" in str(refused)
        else:
            raise AssertionError("mounted without noexec and nodev")
        finally:
            mount.flags = flags


IMAGE_SCENARIOS = (
    exfat_unchanged,
    fat32_unchanged,
    device_dies_under_the_mount,
    no_file_system,
    corruption_under_the_page_cache,
    disk_really_full,
    flag_missing,
)
