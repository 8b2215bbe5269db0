"""Disk images hold what was synced, and come back as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes import disk_images
from tests.fakes.disk_images import Image

WHY = disk_images.available()
pytestmark = pytest.mark.skipif(WHY is not None, reason=str(WHY))


@pytest.mark.parametrize("kind", ["exfat", "vfat", "ext4"])
def test_what_was_filled_is_there_after_another_mount(kind: str, tmp_path: Path) -> None:
    with Image(tmp_path / "disk.img", kind, 64) as image:
        image.fill({"DCIM/a.mp4": b"a" * 10_000}, tmp_path / "fill")
        before = image.digest()
    with Image(tmp_path / "disk.img", kind, 64) as image:
        assert image.digest() == before
        assert (image.mount(tmp_path / "again") / "DCIM/a.mp4").read_bytes() == b"a" * 10_000


def test_a_copy_has_what_was_synced_and_not_what_waits_in_memory(tmp_path: Path) -> None:
    with Image(tmp_path / "disk.img", "ext4", 32) as image:
        root = image.mount(tmp_path / "at")
        synced, waiting = root / "synced", root / "waiting"
        with synced.open("wb") as file:
            file.write(b"s" * 100_000)
            file.flush()
            disk_images.run("sync", synced)
            disk_images.run("sync", root)
        waiting.write_bytes(b"w" * 100_000)
        image.copy(tmp_path / "copy.img")
    with Image(tmp_path / "copy.img", "ext4", 32) as copy:
        root = copy.mount(tmp_path / "copy")
        assert (root / "synced").read_bytes() == b"s" * 100_000
        assert not (root / "waiting").exists() or (root / "waiting").stat().st_size == 0
