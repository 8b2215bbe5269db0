"""The folder recordings are kept in, and the only code that names, places and syncs files there.

    store/ledger.db            states, chunks, journal
    store/incoming/ID.part     bytes on their way in, at the offset they have in the file
    store/bags/DOCKING/data/…  sealed recordings, one BagIt bag per docking

incoming/ and bags/ are one file system, so that sealing is one rename. A rename is on disk only
when both directories are synced.
"""

from __future__ import annotations

import os
import re
import threading
import unicodedata
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath

from edge_agent.docks import room
from edge_agent.docks.rows import readable

PROBE = 64 * 1024  # bytes
LONGEST_PART = 120  # bytes of one path part: ext4 takes 255, and Windows needs room for the rest
LONGEST_PATH = 300  # characters of the whole, so that it fits a `cp_dock` message
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|%]')  # Windows' and BagIt's (RFC 8493, 2.1.3)
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)  # Windows' again


def safe_path(path: bytes, recording: str) -> PurePosixPath:
    """Where a camera's file may lie under data/: same folders, names any system can open.

    A name that had to be changed gets a piece of the recording's id, so that two never meet.
    """
    parts = [_safe(part) for part in readable(path).split("/") if part] or ["_"]
    changed = "/".join(parts) != readable(path)
    if len("/".join(parts)) > LONGEST_PATH:
        parts = [_safe("…" + parts[-1][-LONGEST_PART:])]
    safe = PurePosixPath(*parts)
    return tagged(safe, recording) if changed else safe


def tagged(path: PurePosixPath, recording: str) -> PurePosixPath:
    """The same name with a piece of the recording's id."""
    return path.with_name(f"{path.stem}~{recording[:8]}{path.suffix}")


def _safe(part: str) -> str:
    part = unicodedata.normalize("NFC", _UNSAFE.sub("_", part)).rstrip(". ")
    part = re.sub(r"^\.+", "_", part) or "_"
    if _DEVICES.match(part):
        part = "_" + part
    stem, dot, suffix = part.rpartition(".")
    if not stem or len(suffix) > 10:
        stem, dot, suffix = part, "", ""
    room = LONGEST_PART - len((dot + suffix).encode())
    return stem.encode()[:room].decode(errors="ignore") + dot + suffix


class Store:
    """Make the folders at `root` where they are missing."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = root / "incoming"
        self.bags = root / "bags"
        for folder in (self.incoming, self.bags):
            make_folder(folder)
        self._finishing: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def part(self, recording: str) -> Path:
        return self.incoming / f"{recording}.part"

    def place(self, recording: str, file: str) -> Path:
        """Rename the finished part to bags/`file`; on disk when this returns."""
        target = self.bags / file
        make_folder(target.parent)
        self.part(recording).rename(target)
        sync_folder(target.parent)
        sync_folder(self.incoming)
        return target

    def free_bytes(self) -> int:
        return room.free_bytes(self.root)

    def takes_a_file(self) -> bool:
        """Tried, because a quota is full while the disk says that it has room."""
        probe = self.incoming / "probe"
        try:
            probe.write_bytes(bytes(PROBE))
            sync_folder(self.incoming)
            return True
        except OSError as error:
            if not room.disk_full(error, self.root):
                raise
            return False
        finally:
            probe.unlink(missing_ok=True)

    def exclusive(self, recording: str) -> AbstractContextManager[object]:
        """Only one thread finishes a recording: its last docking's or the next one's."""
        with self._guard:
            return self._finishing.setdefault(recording, threading.Lock())


def make_folder(folder: Path) -> None:
    """Like mkdir -p, and on disk."""
    missing: list[Path] = []
    at = folder
    while not at.exists():
        missing.append(at)
        at = at.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        sync_folder(each.parent)


def sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_whole(path: Path, content: bytes) -> None:
    """Replace a small file: it holds the old or the new content after any cut."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)  # on a full disk even that is worth something
        raise
    sync_folder(path.parent)
