"""A camera's file system, read only. Seam: `Mounter`."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Protocol

from edge_agent.docks.devices import Device

FLAGS = ("ro", "noexec", "nosuid", "nodev")
COMMAND_S = 20.0
# FAT holds local time and no zone. A camera's is China's; where ours is UTC, every file would seem
# to come from eight hours ahead, and the camera's clock to be wrong by as much.
ZONE, ZONE_MINUTES = "CST-8", 8 * 60


class MountRefused(Exception):
    """Nothing here can be read as a camera's storage: one sentence, Chinese first."""


class Mounter(Protocol):
    """`mount` gives the folder to read from; `unmount` is also called for a device that is gone."""

    def mount(self, device: Device) -> Path: ...
    def unmount(self, device: Device) -> None: ...
    def writable(self, device: Device) -> Path:
        """Mount anew for wiping, after everything on it was released."""
        ...


class InPlace:
    """For a device that is a folder already."""

    def mount(self, device: Device) -> Path:
        if device.root is None:
            raise MountRefused(
                f"没有挂载权限，请安装 docks.conf / {device.node} cannot be mounted without root:"
                " install deploy/checkpoint-agent.service.d/docks.conf"
            )
        return device.root

    def unmount(self, device: Device) -> None:
        pass

    def writable(self, device: Device) -> Path:
        return self.mount(device)


class RootMounter:
    """Mounts block devices below `folder` (ro, noexec, nosuid, nodev); folders stay in place.

    `blockdev --setro` first: then not even a journal replay or an access time is written. The
    kernel's drivers are tried before FUSE's, which Debian has for kernels without them. exfat-fuse
    drops noexec on its way, so the flags are set again on the mount and then looked up.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def mount(self, device: Device) -> Path:
        if device.root:
            return device.root
        assert device.node
        self.unmount(device)
        _run("blockdev", "--setro", device.node)
        return self._mount(device, device.node, FLAGS)

    def writable(self, device: Device) -> Path:
        if device.root:
            return device.root
        assert device.node
        self.unmount(device)
        _run("blockdev", "--setrw", device.node)
        return self._mount(device, device.node, ("rw", *FLAGS[1:]))

    def unmount(self, device: Device) -> None:
        """Lazily: the device may be gone, or a read may hang in it."""
        if device.node and flags(self._at(device)) is not None:
            _run("umount", "--lazy", str(self._at(device)))

    def _at(self, device: Device) -> Path:
        return self._folder / device.bay / Path(device.node or "").name

    def _mount(self, device: Device, node: str, wanted: tuple[str, ...]) -> Path:
        at = self._at(device)
        at.mkdir(parents=True, exist_ok=True)
        kind = device.filesystem or _filesystem(node)
        faults: list[str] = []
        for command in _commands(kind, node, str(at), ",".join(wanted)):
            try:
                _run(*command)
                break
            except MountRefused as refused:
                faults.append(str(refused))
        else:
            raise MountRefused(
                f"读不出记录仪的存储（{kind or '无文件系统'}）/ no way to mount {node}"
                f" ({kind or 'no file system'}): {'; '.join(faults) or 'not a known camera'}"
            )
        _run("mount", "-o", ",".join(("remount", "bind", *wanted)), str(at))
        missing = set(wanted) - (flags(at) or set())
        if missing:
            self.unmount(device)
            raise MountRefused(f"{node} would not mount {', '.join(sorted(missing))}")
        return at


def _commands(kind: str, node: str, at: str, options: str) -> list[list[str]]:
    """Ways to mount `kind`, the kernel's first."""
    native = ["mount", "-i", "-t", kind, "-o", options, node, at]
    if kind == "exfat":
        fuse = ["mount.exfat-fuse", "-o", options, node, at]
        native[5] += f",time_offset={ZONE_MINUTES}"  # for entries that name no zone
    elif kind == "vfat":
        # fusefat knows none of the flags but ro; the remount that follows sets them
        fuse = ["fusefat", "-o", "ro" if "ro" in options.split(",") else "rw+", node, at]
        native[5] += f",utf8,shortname=mixed,time_offset={ZONE_MINUTES}"
    elif kind in ("ext4", "ntfs3", "f2fs"):
        return [native]
    else:
        return []
    return [native, fuse] if shutil.which(fuse[0]) else [native]


def _filesystem(node: str) -> str:
    try:
        return _run("blkid", "-o", "value", "-s", "TYPE", node).strip()
    except MountRefused:  # exit code 2: nothing it knows
        return ""


def flags(at: Path) -> set[str] | None:
    """Mount options of the topmost mount at `at`, from mountinfo (proc(5)); None: no mount."""
    found: set[str] | None = None
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split(" ")
        if fields[4].replace("\\040", " ") == str(at):
            found = set(fields[5].split(","))
    return found


def _run(*command: str) -> str:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
            env={**os.environ, "TZ": ZONE},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MountRefused(f"{command[0]}: {error}") from error
    if done.returncode:
        why = done.stderr.strip().rpartition("\n")[2] or f"exit code {done.returncode}"
        raise MountRefused(f"{command[0]}: {why[:160]}")
    return done.stdout
