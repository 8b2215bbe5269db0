"""A serial port that can be pulled out: a pty behind a link named as udev would name it.

port = PtyPort(tmp / "by-id" / "usb-FTDI_FT232R-if00")
port.master          # what the device on the far end reads and writes
port.unplug()        # the link is gone, whoever had it open gets EIO
port.plug()          # back, under another /dev/pts number: nodes are never promised twice
"""

from __future__ import annotations

import os
import tty
from pathlib import Path


class PtyPort:
    """`link` names the port for the agent; `master` is the descriptor of the device's side."""

    def __init__(self, link: Path) -> None:
        self.link = link
        self.master = -1
        self._slave = -1
        self._spare = -1
        self.plug()

    @property
    def plugged(self) -> bool:
        return self.master >= 0

    @property
    def node(self) -> str:
        """The device node of now, e.g. /dev/pts/7."""
        return os.ttyname(self._slave)

    def plug(self) -> None:
        if self.plugged:
            return
        self.master, self._slave = os.openpty()
        # Our own end stays open: without any opener the master would read EIO between two
        # openings of the agent, which a UART never does. Raw before the first byte: a cooked
        # pty would echo every request back.
        tty.setraw(self._slave)
        os.set_blocking(self.master, False)
        self.link.parent.mkdir(parents=True, exist_ok=True)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(self.node)
        if self._spare >= 0:
            os.close(self._spare)
            self._spare = -1

    def unplug(self) -> None:
        if not self.plugged:
            return
        self.link.unlink(missing_ok=True)
        # The kernel hands the lowest free number to the next pty, so without a place holder the
        # adapter would always come back as itself.
        self._spare = os.dup(self._slave)
        os.close(self.master)
        os.close(self._slave)
        self.master = self._slave = -1

    def close(self) -> None:
        self.unplug()
        if self._spare >= 0:
            os.close(self._spare)
            self._spare = -1
