"""Which camera is in which bay, and when that changes. Seam: `DeviceSource`."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edge_agent.docks.config import Bay
from edge_agent.docks.rows import readable


@dataclass(frozen=True, slots=True)
class Device:
    """A camera's storage in a bay: either a block device `node` or a plain folder `root`.

    camera: who it is, across bays and years: its serial number, with the volume's where there
    is one (cheap cameras share a serial number). usb: "vendor:product" in hex, "" if none.
    """

    bay: str  # slug, as in topics
    camera: str
    node: str | None = None
    root: Path | None = None
    filesystem: str | None = None
    usb: str = ""

    @property
    def label(self) -> str:
        """The camera in a file name."""
        return re.sub(r"[^A-Za-z0-9._-]", "_", self.camera)[:40].strip("._") or "camera"


@dataclass(frozen=True, slots=True)
class Change:
    """What is in `bay` now: one device per file system of its camera, none when it is empty."""

    bay: str
    devices: tuple[Device, ...] = ()


class DeviceSource(Protocol):
    """Called from one thread that has nothing else to do."""

    def poll(self, timeout_s: float) -> list[Change]:
        """Wait at most so long. The first calls also tell what was there before."""
        ...


class DirectorySource:
    """Bays that are directories: the demo, tests, and a reader without USB (a network share).

    `[[docks.bay]] number = 1, directory = ".../bay-1"`. To dock a camera, put a folder named like
    its serial number into the bay's directory; to pull it out, move or delete that folder. So
    that no half-made camera is seen, fill the folder elsewhere on the file system and rename it:

        (tmp / "CAM001" / "DCIM").mkdir(parents=True); ...   # recordings
        (tmp / "CAM001").rename(bay_directory / "CAM001")    # docked
        (bay_directory / "CAM001").rename(tmp / "CAM001")    # pulled out

    Names that begin with a dot are not cameras. The bay's directory may appear later.
    """

    def __init__(self, bays: Iterable[Bay], every_s: float = 0.2) -> None:
        self._bays = {bay.slug: bay.directory for bay in bays if bay.directory}
        self._there: dict[str, str] = {}
        self._every_s = every_s

    def poll(self, timeout_s: float) -> list[Change]:
        deadline = time.monotonic() + timeout_s
        while not (changes := self._look()) and time.monotonic() < deadline:
            time.sleep(min(self._every_s, timeout_s))
        return changes

    def _look(self) -> list[Change]:
        changes: list[Change] = []
        for bay, directory in self._bays.items():
            names = _folders(directory)
            before = self._there.get(bay)
            if before and before not in names:
                del self._there[bay]
                changes.append(Change(bay))
                before = None
            if names and not before:
                self._there[bay] = names[0]
                changes.append(Change(bay, (_in_folder(bay, directory / names[0]),)))
        return changes


def _in_folder(bay: str, root: Path) -> Device:
    return Device(bay, readable(os.fsencode(root.name)), root=root)


def _folders(directory: Path) -> list[str]:
    try:
        return sorted(
            entry.name
            for entry in directory.iterdir()
            if not entry.name.startswith(".") and entry.is_dir() and not entry.is_symlink()
        )
    except FileNotFoundError:
        return []


class Several:
    """Some bays on USB, some directories: each source gets its share of the waiting."""

    def __init__(self, sources: list[DeviceSource]) -> None:
        self._sources = sources

    def poll(self, timeout_s: float) -> list[Change]:
        share = timeout_s / len(self._sources) if self._sources else timeout_s
        if not self._sources:
            time.sleep(timeout_s)
        return [change for source in self._sources for change in source.poll(share)]
