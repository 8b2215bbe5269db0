"""A file system that forgets what was not fsynced: the disk of a checkpoint whose power is cut.

FUSE in a process of its own. What is written stays in that process's memory; fsync of a file writes
its content to the folder behind, fsync of a directory its names. `cut()` kills the process: what is
left behind is what a power cut would leave of a disk that reorders nothing but keeps nothing it was
not told to keep. It also counts fsyncs, and can refuse whatever changes it, as a failing card does.
Needs libfuse2 and /dev/fuse.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


class UnsyncedDisk:
    """`with UnsyncedDisk(behind, mounted) as disk: … disk.cut(); disk.mount() …`"""

    def __init__(self, behind: Path, mounted: Path) -> None:
        self.behind, self.mounted = behind, mounted
        self._process: subprocess.Popen[bytes] | None = None
        for folder in (behind, mounted):
            folder.mkdir(parents=True, exist_ok=True)

    def mount(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.unsynced_disk", self.behind, self.mounted],
            cwd=Path(__file__).parents[2],
        )
        deadline = time.monotonic() + 10
        while not self.mounted.is_mount():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise OSError("the FUSE mount did not come up")
            time.sleep(0.01)

    def cut(self) -> None:
        """The power goes: everything not synced is gone."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None
        unmount = ["fusermount", "-u", "-z", str(self.mounted)]
        left = subprocess.run(unmount, capture_output=True, text=True)
        if str(self.mounted) in Path("/proc/mounts").read_text():
            raise OSError(f"{self.mounted} stays mounted: {left.stderr}")

    def refuse(self, number: int) -> None:
        """From now on every change and fsync fails with this errno; 0: the disk is well again."""
        os.setxattr(self.mounted, "user.refuse", str(number).encode())

    @property
    def fsyncs(self) -> int:
        """fsyncs of files and directories since the mount."""
        return int(os.getxattr(self.mounted, "user.fsyncs"))

    def __enter__(self) -> UnsyncedDisk:
        self.mount()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.cut()


class File:
    """Content in memory; names point at it, open files hold on to it."""

    def __init__(self, content: bytes = b"") -> None:
        self.content = bytearray(content)


def _serve(behind: Path, mounted: Path) -> None:
    import fuse  # only this process needs libfuse

    fresh = behind.with_name(behind.name + ".fresh")

    class Forgetful(fuse.Operations):
        """One flat directory, which is all that SQLite and its log need."""

        def __init__(self) -> None:
            self.files = {p.name: File(p.read_bytes()) for p in behind.iterdir() if p.is_file()}
            self.open_files: dict[int, File] = {}
            self.fsyncs = 0
            self.refuses = 0
            self.next = 1

        def _changing(self) -> None:
            if self.refuses:
                raise fuse.FuseOSError(self.refuses)

        def _file(self, path: str) -> File:
            file = self.files.get(path[1:])
            if file is None:
                raise fuse.FuseOSError(errno.ENOENT)
            return file

        def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
            if path == "/":
                return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
            size = len((self.open_files[fh] if fh else self._file(path)).content)
            mode = stat.S_IFREG | 0o644
            return {"st_mode": mode, "st_nlink": 1, "st_size": size, "st_uid": os.getuid()}

        def getxattr(self, path: str, name: str, position: int = 0) -> bytes:
            if (path, name) != ("/", "user.fsyncs"):
                raise fuse.FuseOSError(errno.ENODATA)
            return str(self.fsyncs).encode()

        def setxattr(self, path: str, name: str, value: bytes, *_: object) -> int:
            if (path, name) != ("/", "user.refuse"):
                raise fuse.FuseOSError(errno.ENOTSUP)
            self.refuses = int(value)
            return 0

        def readdir(self, path: str, fh: int) -> list[str]:
            return [".", "..", *self.files]

        def create(self, path: str, mode: int, fi: object = None) -> int:
            self._changing()
            self.files[path[1:]] = File()
            return self.open(path, 0)

        def open(self, path: str, flags: int) -> int:
            self.open_files[self.next] = self._file(path)
            self.next += 1
            return self.next - 1

        def release(self, path: str, fh: int) -> int:
            del self.open_files[fh]
            return 0

        def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
            return bytes(self.open_files[fh].content[offset : offset + size])

        def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
            self._changing()
            content = self.open_files[fh].content
            if len(content) < offset:
                content.extend(bytes(offset - len(content)))
            content[offset : offset + len(data)] = data
            return len(data)

        def truncate(self, path: str, length: int, fh: int | None = None) -> None:
            self._changing()
            content = (self.open_files[fh] if fh else self._file(path)).content
            del content[length:]
            content.extend(bytes(length - len(content)))

        def rename(self, old: str, new: str) -> None:
            self._changing()
            self.files[new[1:]] = self.files.pop(old[1:])

        def unlink(self, path: str) -> None:
            self._changing()
            self._file(path)
            del self.files[path[1:]]

        def fsync(self, path: str, datasync: int, fh: int) -> int:
            """The content is kept; a name never synced is kept with it, as ext4 does."""
            self._changing()
            self.fsyncs += 1
            file = self.open_files[fh]
            for name, named in self.files.items():
                if named is file:  # in one step: a cut in the middle must not harm what lay there
                    fresh.write_bytes(file.content)
                    fresh.rename(behind / name)
            return 0

        def fsyncdir(self, path: str, datasync: int, fh: int) -> int:
            """The names are kept: new ones (empty unless synced) and the absence of old ones."""
            self._changing()
            self.fsyncs += 1
            for old in behind.iterdir():
                if old.name not in self.files:
                    old.unlink()
            for name in self.files:
                (behind / name).touch()
            return 0

    with contextlib.suppress(KeyboardInterrupt):
        fuse.FUSE(
            Forgetful(),
            str(mounted),
            foreground=True,
            nothreads=True,
            attr_timeout=0,
            entry_timeout=0,
            big_writes=True,
        )


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _serve(Path(sys.argv[1]), Path(sys.argv[2]))
