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
    """Why `port` would not open, with the remedy; None if nothing speaks against it."""
    try:
        mode = Path(port).stat().st_mode
    except OSError:
        there = "、".join(present())
        now = (
            f"现有 / there now: {there}"
            if there
            else "没有插任何串口 / no serial port is plugged in"
        )
        return (
            f"找不到串口 {port}：插好转换器或改正 port"
            f" / no port {port}: plug it in or correct it ({now})"
        )
    if not stat.S_ISCHR(mode):
        return f"{port} 不是串口 / {port} is not a serial port: name a device under /dev"
    if not os.access(port, os.R_OK | os.W_OK):
        return (
            f"没有权限打开 {port} / no right to open {port}:"
            " sudo usermod -aG dialout $USER, then log in again"
        )
    return None


def not_opened(port: str) -> PortGone:
    """After an attempt that failed."""
    return PortGone(
        why_not(port)
        or f"串口 {port} 打不开，可能被其他程序占用 / {port} does not open:"
        f" another program may hold it, see: fuser -v {port}"
    )
