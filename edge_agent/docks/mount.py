"""A camera's file system, read only. Seam: `Mounter`."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from edge_agent.docks.devices import Device


class MountRefused(Exception):
    """Nothing here can be read as a camera's storage: one sentence."""


class Mounter(Protocol):
    """`mount` gives the folder to read from; `unmount` is also called for a device that is gone."""

    def mount(self, device: Device) -> Path: ...
    def unmount(self, device: Device) -> None: ...


class InPlace:
    """For a device that is a folder already."""

    def mount(self, device: Device) -> Path:
        if device.root is None:
            raise MountRefused(f"{device.bay}: {device.node} needs a mounter; run as root")
        return device.root

    def unmount(self, device: Device) -> None:
        pass
