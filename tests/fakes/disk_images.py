"""Disks as files: loop devices, file systems on them, mounts. For root; everything is taken down.

`fill` writes a camera's files as its own file system holds them; `copy` is the disk at a power cut:
what the file system has handed to the block device by now, and nothing that waits in its cache.
"""

from __future__ import annotations

import glob
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

MAKE = {
    "exfat": ["mkfs.exfat"],
    "vfat": ["mkfs.vfat", "-F", "32", "-s", "1"],
    "ext4": ["mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0"],
}
FUSE = {"exfat": ["mount.exfat-fuse", "-o", "rw"], "vfat": ["fusefat", "-o", "rw+"]}


def available() -> str | None:
    """What is missing for images here, in one sentence; None: nothing."""
    if os.geteuid():
        return "disk images need root"
    if not Path("/dev/loop-control").exists():
        return "disk images need loop devices"
    wanted = {command[0] for command in (*MAKE.values(), *FUSE.values())}
    missing = sorted(name for name in wanted if not shutil.which(name))
    return f"missing: {', '.join(missing)} (apt-get install exfat-fuse …)" if missing else None


def run(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def _holders(node: str) -> list[str]:
    """Open files that are `node`, of any process."""
    found: list[str] = []
    for link in glob.iglob("/proc/[0-9]*/fd/*"):  # noqa: PTH207
        with suppress(OSError):  # processes come and go
            if os.readlink(link) == node:  # noqa: PTH115 (half a million Paths are slow)
                found.append(link)
    return found


@contextmanager
def blank(path: Path, megabytes: int) -> Generator[str]:
    """The loop device of a disk without a file system."""
    with path.open("wb") as file:
        file.truncate(megabytes * 1024 * 1024)
    node = run("losetup", "--find", "--show", path).strip()
    try:
        yield node
    finally:
        run("blockdev", "--setrw", node)
        run("losetup", "--detach", node)


class Image:
    """A file with a file system, attached to a loop device within `with`."""

    def __init__(self, path: Path, kind: str, megabytes: int) -> None:
        self.path, self.kind = path, kind
        self.node = ""
        if not path.exists():
            with path.open("wb") as file:
                file.truncate(megabytes * 1024 * 1024)
            run(*MAKE[kind], path)
        self._mounted: Path | None = None

    def __enter__(self) -> Image:
        self.node = run("losetup", "--find", "--show", self.path).strip()
        return self

    def __exit__(self, *_: object) -> None:
        self.unmount()
        run("blockdev", "--setrw", self.node)  # the flag outlives the attachment
        run("losetup", "--detach", self.node)

    def mount(self, at: Path) -> Path:
        at.mkdir(parents=True, exist_ok=True)
        run(*FUSE.get(self.kind, ["mount", "-t", self.kind]), self.node, at)
        self._mounted = at
        return at

    def unmount(self) -> None:
        if self._mounted:
            run("umount", self._mounted)
            self._mounted = None
            deadline = time.monotonic() + 20
            while _holders(self.node):  # a FUSE daemon writes on after umount has returned
                assert time.monotonic() < deadline, f"{self.node} is still held"
                time.sleep(0.02)
            run("blockdev", "--flushbufs", self.node)

    def fill(self, files: Mapping[str, bytes], at: Path, ahead_s: int = 0) -> None:
        """ahead_s: what the camera's clock face is ahead of UTC; FAT holds what the face says."""
        root = self.mount(at)
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            os.utime(path, 2 * (time.time() + ahead_s,))
        self.unmount()

    def digest(self) -> str:
        """SHA-256 of the whole device."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def copy(self, to: Path) -> None:
        run("cp", "--sparse=always", "--reflink=auto", self.path, to)
