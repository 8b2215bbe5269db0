"""Cameras as their own file systems on loop devices, mounted as on a checkpoint. Root only."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from edge_agent.docks.devices import Change, Device
from edge_agent.docks.mount import MountRefused, RootMounter, flags
from edge_agent.docks.states import State

from tests.edge_agent.docks.rig import MIB, Rig
from tests.fakes import disk_images
from tests.fakes.cameras import Camera, noise, until

pytestmark = pytest.mark.skipif(
    disk_images.available() is not None, reason=str(disk_images.available())
)
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
        import time

        time.sleep(min(timeout_s, 0.05))
        found, self.changes = self.changes, []
        return found

    def put(self, bay: str, device: Device | None) -> None:
        self.changes.append(Change(bay, device))


@pytest.fixture
def mounter(tmp_path: Path) -> Iterator[RootMounter]:
    yield RootMounter(tmp_path / "mounts")
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        if str(tmp_path) in line:
            with suppress(subprocess.CalledProcessError):
                disk_images.run("umount", "--lazy", line.split(" ")[4])


@pytest.mark.parametrize("kind", ["exfat", "vfat"])
async def test_a_camera_is_ingested_and_not_one_bit_of_it_changes(
    kind: str, tmp_path: Path, mounter: RootMounter
) -> None:
    files = FILES if kind == "exfat" else SHORT
    rig, hands = Rig(tmp_path), Hands()
    with disk_images.Image(tmp_path / "camera.img", kind, 64) as image:
        image.fill(files, tmp_path / "fill")
        before = image.digest()
        device = Device("bay-1", "CAM001.1234-5678", node=image.node, filesystem=kind)
        async with rig.running(devices=hands, mounter=mounter) as docks:
            hands.put("bay-1", device)
            await until(lambda: len(rig.reporter.events("SEALED")) == len(files), 30)
            assert {"ro", "noexec", "nosuid", "nodev"} <= (flags(tmp_path / "mounts/bay-1") or set())
            assert disk_images.run("blockdev", "--getro", image.node).strip() == "1"
            hands.put("bay-1", None)
            await until(lambda: docks.view()[0]["light"] == "empty")
            assert flags(tmp_path / "mounts/bay-1") is None
            camera = Camera(tmp_path / "aside", "twin", {})
            camera.files = {name.encode(): content for name, content in files.items()}
            await rig.all_sealed(docks, camera)
        assert image.digest() == before
    rig.audit(camera)


async def test_a_device_that_dies_under_the_mount_is_yanked_and_resumed_in_another_bay(
    tmp_path: Path, mounter: RootMounter
) -> None:
    """The image is cut short under exfat-fuse mid-file, as a pulled reader: real I/O errors."""
    files = {"DCIM/A.mp4": noise(24 * MIB, 4)}
    rig, hands = Rig(tmp_path), Hands()
    path = tmp_path / "camera.img"
    with disk_images.Image(path, "exfat", 64) as image:
        image.fill(files, tmp_path / "fill")
    whole = tmp_path / "whole.img"
    image.copy(whole)
    with disk_images.Image(path, "exfat", 64) as image:
        async with rig.running(devices=hands, mounter=mounter) as docks:
            hands.put("bay-1", Device("bay-1", "CAM001", node=image.node, filesystem="exfat"))
            await until(lambda: any(row.copied > 4 * MIB for row in docks.ledger.recordings()))
            with path.open("r+b") as file:
                file.truncate(8 * MIB)
            await asyncio.sleep(0)
            hands.put("bay-1", None)
            await until(lambda: docks.view()[0]["light"] == "empty", 30)
            (row,) = docks.ledger.recordings()
            assert row.state in (State.YANKED, State.READ_ERROR) or row.copied == row.size
    with disk_images.Image(whole, "exfat", 64) as image:
        async with rig.running(devices=hands, mounter=mounter) as docks:
            hands.put("bay-2", Device("bay-2", "CAM001", node=image.node, filesystem="exfat"))
            camera = Camera(tmp_path / "aside", "twin", {})
            camera.files = {name.encode(): content for name, content in files.items()}
            await rig.all_sealed(docks, camera, within_s=30)
    rig.audit(camera)


async def test_a_stick_without_a_file_system_is_an_unknown_camera(
    tmp_path: Path, mounter: RootMounter
) -> None:
    rig, hands = Rig(tmp_path), Hands()
    blank = tmp_path / "blank.img"
    blank.write_bytes(bytes(4 * MIB))
    node = disk_images.run("losetup", "--find", "--show", blank).strip()
    try:
        async with rig.running(devices=hands, mounter=mounter) as docks:
            hands.put("bay-1", Device("bay-1", "X", node=node))
            await until(lambda: rig.reporter.events("UNKNOWN_CAMERA"))
            assert docks.view()[0]["light"] == "problem"
    finally:
        disk_images.run("losetup", "--detach", node)


def test_a_mount_that_misses_a_flag_is_refused(
    tmp_path: Path, mounter: RootMounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """exfat-fuse drops noexec: without the second look it would pass."""
    with disk_images.Image(tmp_path / "camera.img", "exfat", 16) as image:
        device = Device("bay-1", "X", node=image.node, filesystem="exfat")
        shown = iter([None, {"ro", "nosuid"}, {"ro"}])  # before, after, when taking it down
        monkeypatch.setattr("edge_agent.docks.mount.flags", lambda at: next(shown))
        with pytest.raises(MountRefused, match="nodev, noexec"):
            mounter.mount(device)
