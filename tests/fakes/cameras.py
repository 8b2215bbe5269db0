"""Cameras for docks that are directories: made aside, docked by one rename, pulled by another."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from patrol_contract import messages

CONTENT = {
    b"DCIM/DCAM_CAM001_000001_20260804_100000_IMP.mp4": 3_000_000,
    b"DCIM/DCAM_CAM001_000001_20260804_103000.mp4": 2_500_001,
    b"DCIM/100MEDIA/IMAG0001.JPG": 70_000,
}


def noise(size: int, seed: object) -> bytes:
    """Bytes that no two seeds share."""
    return random.Random(repr(seed)).randbytes(size)


class Camera:
    """A camera with a serial number; `files` maps path on the camera to content or size."""

    def __init__(
        self, aside: Path, serial: str, files: Mapping[bytes, int | bytes] = CONTENT
    ) -> None:
        self.serial = serial
        self.home = aside / serial
        self.place = self.home
        self.files: dict[bytes, bytes] = {}
        self.home.mkdir(parents=True)
        for path, content in files.items():
            self.record(path, content)

    def record(self, path: bytes, content: int | bytes, mtime: int = 1_785_000_000) -> None:
        data = noise(content, (self.serial, path)) if isinstance(content, int) else content
        full = self.place / os.fsdecode(path)  # names need not be UTF-8
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_bytes(data)
        os.utime(full, (mtime, mtime))
        self.files[path] = data

    def dock(self, bay: Path) -> None:
        bay.mkdir(parents=True, exist_ok=True)
        self.place = self.place.rename(bay / self.serial)

    def pull(self) -> None:
        self.place = self.place.rename(self.home)

    def digest_list(self) -> list[str]:
        """SHA-256 of every file, from memory, not from the disk."""
        return [hashlib.sha256(data).hexdigest() for data in self.files.values()]

    def image(self) -> dict[bytes, tuple[bytes, int]]:
        """Everything on it now: content and mtime by path."""
        return {
            os.fsencode(path.relative_to(self.place)): (path.read_bytes(), path.stat().st_mtime_ns)
            for path in self.place.rglob("*")
            if path.is_file()
        }


class Reporter:
    """Stands for edge_agent/reporter.py: keeps what was reported, checked by the contract."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    async def report(
        self, name: str, params: Mapping[str, str], fields: Mapping[str, Any], /
    ) -> object:
        messages.encode(name, {**fields, "v": 1, "boot": "0" * 16, "seq": len(self.sent) + 1})
        self.sent.append({"B": params["B"], **fields})
        return None

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        return [each for each in self.sent if each["event"] in kinds]


async def until(true: Callable[[], object], within_s: float = 15.0) -> None:
    """Wait for a condition; AssertionError with its name where it does not come."""
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, f"not within {within_s} s: {true}"
        await asyncio.sleep(0.01)
