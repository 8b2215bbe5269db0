"""Cameras and stores as real file systems on loop devices, mounted as on a checkpoint. Root only.

Like scenarios.py: each function gets an empty folder and raises AssertionError.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from edge_agent.docks import chunks, ingest, mount
from edge_agent.docks.config import Family
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
    """A DeviceSource that a test moves: put(bay, what is in it now…)."""

    def __init__(self) -> None:
        self.changes: list[Change] = []

    def poll(self, timeout_s: float) -> list[Change]:
        time.sleep(min(timeout_s, 0.05))
        found, self.changes = self.changes, []
        return found

    def put(self, bay: str, *devices: Device) -> None:
        self.changes.append(Change(bay, devices))


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
            hands.put("bay-1")
            await until(lambda: docks.view()[0]["light"] == "empty")
            assert flags(at) is None
        assert image.digest() == before
    rig.audit(camera)


async def fat_holds_local_time(folder: Path) -> None:
    """A FAT card of a camera in China, whose clock is right, on a box that lives in UTC: no offset.
    One that is ten minutes ahead is ten minutes ahead, not eight hours and ten."""
    for ahead_s, wrong_s in ((8 * 3600 - 60, 0), (8 * 3600 + 600, 600)):
        place = folder / str(wrong_s)
        rig, hands, camera = Rig(place), Hands(), twin(place, SHORT)
        with mounting(place) as mounter, disk_images.Image(place / "c.img", "vfat", 64) as image:
            image.fill(SHORT, place / "fill", ahead_s)
            async with rig.running(devices=hands, mounter=mounter) as docks:
                hands.put("bay-1", Device("bay-1", "C", node=image.node, filesystem="vfat"))
                await rig.all_sealed(docks, camera, within_s=30)
                offset = docks.ledger.dockings()[0].offset_s or 0
                assert wrong_s - 30 <= offset <= wrong_s, offset
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
                hands.put("bay-1")
                await until(lambda: docks.view()[0]["light"] == "empty", 30)
                assert not rig.reporter.events("SEALED") or whole.exists()
        hands = Hands()  # the old ones may still be in a poll
        with disk_images.Image(whole, "exfat", 64) as image:
            async with rig.running(devices=hands, mounter=mounter) as docks:
                hands.put("bay-2", Device("bay-2", "CAM001", node=image.node, filesystem="exfat"))
                await rig.all_sealed(docks, camera, within_s=30)
    rig.audit(camera)


async def two_cards_in_one_bay(folder: Path) -> None:
    """A camera with a card and memory of its own: both taken in, one bay, two bags. Half of it is
    not enough for a green light; and a second slot that nothing can read is a problem, not silence.
    """
    rig, hands = Rig(folder), Hands()
    big = {"DCIM/A.mp4": noise(6 * MIB, 5)}
    card, inner = twin(folder / "card", SHORT), twin(folder / "inner", big)
    with (
        mounting(folder) as mounter,
        disk_images.Image(folder / "card.img", "vfat", 64) as one,
        disk_images.Image(folder / "inner.img", "exfat", 64) as two,
        disk_images.blank(folder / "blank.img", 4) as blank,
    ):
        one.fill(SHORT, folder / "fill-1")
        two.fill(big, folder / "fill-2")
        first = Device("bay-1", "CAM001.AAAA", node=one.node, filesystem="vfat")
        second = Device("bay-1", "CAM001.BBBB", node=two.node, filesystem="exfat")
        slow = Fault("call", at=2 * MIB, suffix=b"A.mp4", call=(go_on := threading.Event()).wait)
        async with rig.running(devices=hands, mounter=mounter, make_source=faulty(slow)) as docks:
            hands.put("bay-1", first)
            hands.put("bay-1", first, second)
            await until(lambda: len(rig.reporter.events("SEALED")) == 2, 30)
            row = docks.view()[0]
            assert (row["light"], row["state"], row["files"]) == ("working", "COPYING", 3)
            assert row["camera"] == "CAM001.AAAA, CAM001.BBBB"
            go_on.set()
            await rig.all_sealed(docks, card, inner, within_s=30)
            await until(lambda: docks.view()[0]["light"] == "done")
            assert docks.view()[0]["sealed"] == 3
            hands.put("bay-1", first, second, Device("bay-1", "CAM001", node=blank))
            await until(lambda: docks.view()[0]["light"] == "problem")
            assert docks.view()[0]["state"] == State.UNKNOWN_CAMERA
            hands.put("bay-1", second)
            await until(lambda: docks.view()[0]["camera"] == "CAM001.BBBB")
            assert docks.view()[0]["light"] == "done"
            hands.put("bay-1")
            await until(lambda: docks.view()[0]["light"] == "empty")
            assert len(docks.ledger.dockings()) == 3, "a docking was begun twice"
    rig.audit(card, inner)


async def wiped_after_release(folder: Path) -> None:
    """A family that is wiped: mounted writable only after the county confirmed all of it, and
    only what was confirmed is deleted. The others stay read only until then."""
    family = Family(name="own", usb=("4255:0001",), wipe=True)
    rig, hands, camera = Rig(folder, family=(family,)), Hands(), twin(folder, FILES)
    with mounting(folder) as mounter, disk_images.Image(folder / "c.img", "exfat", 64) as image:
        image.fill(FILES, folder / "fill")
        before = image.digest()
        device = Device("bay-1", "CAM001", node=image.node, filesystem="exfat", usb="4255:0001")
        async with rig.running(devices=hands, mounter=mounter) as docks:
            hands.put("bay-1", device)
            await rig.all_sealed(docks, camera, within_s=30)
            first, *others = docks.ledger.recordings()
            for row in others:
                await docks.confirm({"file": row.file, "sha256": row.sha256})
            assert disk_images.run("blockdev", "--getro", image.node).strip() == "1"
            assert image.digest() == before, "touched before all of it was confirmed"
            await docks.confirm({"file": first.file, "sha256": first.sha256})
            await until(lambda: docks.view()[0]["state"] == State.RELEASED, 30)
            assert len(rig.reporter.events("WIPED")) == len(FILES)
            hands.put("bay-1")
            await until(lambda: docks.view()[0]["light"] == "empty")
        left = [path for path in image.mount(folder / "look").rglob("*") if path.is_file()]
        assert not left, left
    rig.audit(camera)


async def no_file_system(folder: Path) -> None:
    """A stick that nothing can read: UNKNOWN_CAMERA, shown and told."""
    rig, hands = Rig(folder), Hands()
    with mounting(folder) as mounter, disk_images.blank(folder / "blank.img", 4) as node:
        async with rig.running(devices=hands, mounter=mounter) as docks:
            hands.put("bay-1", Device("bay-1", "X", node=node))
            await until(lambda: rig.reporter.events("UNKNOWN_CAMERA"))
            assert docks.view()[0]["light"] == "problem"


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
    fat_holds_local_time,
    device_dies_under_the_mount,
    two_cards_in_one_bay,
    wiped_after_release,
    no_file_system,
    corruption_under_the_page_cache,
    flag_missing,
)
