"""flash.sh's program with as much of Windows around it as Linux can imitate.

    python -m tests.fakes.windows ledger list

No Windows Python is to be had from a package registry, so this is no proof of Windows. It is the
part of it that can be imitated: the modules that only POSIX has are not there, `os` has Windows'
name and lacks what Windows lacks, a file that is open cannot be replaced or removed, a folder
cannot be opened, `msvcrt` locks, and every text file that is opened in the locale's encoding is an
error. Not imitated: WindowsPath, drive letters, COM ports, esptool's serial line, the console.
"""

from __future__ import annotations

import errno
import fcntl
import importlib
import os
import pkgutil
import runpy
import sys
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Libraries choose their own POSIX or Windows half when they are imported: they keep the one that
# this machine has, and are none of ours.
LIBRARIES = ("littlefs", "mpremote.romfs", "PIL.Image", "rich.console", "rich.progress", "segno")
LIBRARIES += ("rich.table", "serial.tools.list_ports", "cryptography.x509", "getpass", "tempfile")
LIBRARIES += ("shutil", "subprocess", "urllib.request", "PIL.PdfImagePlugin", "PIL.JpegImagePlugin")
POSIX_ONLY = ("fcntl", "grp", "posix", "pty", "pwd", "readline", "resource", "syslog", "termios")
POSIX_ONLY += ("tty", "curses", "crypt", "_posixsubprocess")
NOT_IN_WINDOWS_OS = {
    *("fork", "forkpty", "geteuid", "getegid", "getuid", "getgid", "chown", "fchown", "fchmod"),
    *("O_NOFOLLOW", "O_CLOEXEC", "O_DIRECTORY", "O_SYNC", "setsid", "getpgid", "killpg", "uname"),
    *("mkfifo", "openpty", "pread", "pwrite", "sync", "statvfs", "nice", "ttyname", "wait"),
}


class WindowsOs(types.ModuleType):
    """`os` as a module of ours sees it."""

    name = "nt"

    def __getattr__(self, attribute: str) -> Any:
        if attribute in NOT_IN_WINDOWS_OS:
            raise AttributeError(f"module 'os' has no attribute {attribute!r} on Windows")
        return getattr(os, attribute)


def held_open(path: str | os.PathLike[str]) -> bool:
    """Tell whether this process has the file open, which Windows lets nobody replace."""
    real = os.path.realpath(path)
    return any(os.path.realpath(link) == real for link in Path("/proc/self/fd").iterdir())


def refusing(work: Callable[..., Any], refused: Callable[..., bool]) -> Callable[..., Any]:
    def guarded(*arguments: Any, **more: Any) -> Any:
        if refused(*arguments):
            raise PermissionError(errno.EACCES, "Access is denied", str(arguments[0]))
        return work(*arguments, **more)

    return guarded


def msvcrt() -> types.ModuleType:
    """Return locks as Windows has them: of one handle, given up after ten tries."""
    module: Any = types.ModuleType("msvcrt")
    module.LK_LOCK, module.LK_UNLCK = 1, 0

    def locking(handle: int, mode: int, size: int) -> None:
        try:
            wanted = fcntl.LOCK_EX | fcntl.LOCK_NB if mode else fcntl.LOCK_UN
            fcntl.flock(handle, wanted)
        except BlockingIOError as error:
            raise OSError(errno.EDEADLK, "Resource deadlock avoided") from error

    module.locking = locking
    return module


def dress() -> None:
    """Make this process look like Windows to the modules of `flashing`, imported from here on."""
    for library in LIBRARIES:
        importlib.import_module(library)
    os.replace = refusing(os.replace, lambda old, new: held_open(new) or held_open(old))
    os.unlink = refusing(os.unlink, lambda path, **_: held_open(path))
    os.open = refusing(os.open, lambda path, *_: Path(path).is_dir())
    for name in POSIX_ONLY:
        sys.modules[name] = None  # type: ignore[assignment]
    sys.modules["msvcrt"] = msvcrt()
    warnings.filterwarnings("error", category=EncodingWarning, module=r"flashing(\.|$)")
    import flashing

    for found in pkgutil.iter_modules(flashing.__path__):
        # __main__ runs below; the worker is esptool's half, in a process of its own
        if found.name not in ("__main__", "chip_worker"):
            module: Any = importlib.import_module(f"flashing.{found.name}")
            if "os" in vars(module):
                module.os = WindowsOs("os")


if __name__ == "__main__":
    dress()
    runpy.run_module("flashing", run_name="__main__", alter_sys=True)
