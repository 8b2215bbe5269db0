"""Serial ports as udev names them, and what to say when one does not open.

/dev/ttyUSB0 is whoever was plugged in first: two adapters swap numbers at the next boot. So ports
are named by /dev/serial/by-id (the adapter) or by-path (the socket, for adapters without a serial
number of their own, e.g. CH340).
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

REOPEN_S = 0.5  # a stat() this often while a port is gone; nothing while it is there
BY_ID = Path("/dev/serial/by-id")
BY_PATH = Path("/dev/serial/by-path")


class BusFault(Exception):
    """A bus or what hangs on it did not answer. str() is a sentence for staff."""


class LineTooLong(BusFault):
    """A device sends without an end: what came is dropped."""


class PortGone(BusFault):
    """The port cannot be opened, or was unplugged. The bus opens it again by itself."""


def present() -> list[str]:
    """Names under which serial ports are there now, the lasting ones first."""
    for folder in (BY_ID, BY_PATH):
        if folder.is_dir():
            return sorted(str(link) for link in folder.iterdir())
    return sorted(str(node) for node in Path("/dev").glob("tty[UA][SCM][BM]*"))


def lasting_name(port: str) -> str:
    """by-id, else by-path, else the port as it is."""
    try:
        target = Path(port).resolve(strict=True)
    except OSError:
        return port
    for folder in (BY_ID, BY_PATH):
        for link in sorted(folder.iterdir()) if folder.is_dir() else []:
            if link.resolve() == target:
                return str(link)
    return port


def why_not(port: str) -> str | None:
    """Why `port` would not open, with the remedy first: a report keeps 120 characters. None if
    nothing speaks against it."""
    name = Path(port).name
    try:
        mode = Path(port).stat().st_mode
    except OSError:
        return f"串口未插，请插好 / port is not there, plug it in: {name}"
    if not stat.S_ISCHR(mode):
        return f"这不是串口，请改正 port / not a serial port, correct it: {name}"
    if not os.access(port, os.R_OK | os.W_OK):
        return f"没有权限 / no right, sudo usermod -aG dialout $USER and log in again: {name}"
    return None


def not_opened(port: str) -> PortGone:
    """After an attempt that failed."""
    why = (
        why_not(port) or f"串口打不开，可能被占用 / does not open, see fuser -v: {Path(port).name}"
    )
    return PortGone(why)


def unplugged(port: str) -> PortGone:
    """It was open, and is gone."""
    return PortGone(f"串口被拔出，请插好 / port was pulled out, plug it in: {Path(port).name}")
