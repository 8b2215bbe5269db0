"""Cameras that hide their storage until they are asked properly. Seam: `Unlocker`."""

from __future__ import annotations

import time
from typing import Protocol

from edge_agent.docks.devices import Device


class UnlockRefused(Exception):
    """The camera did not open: one sentence that staff can act on."""


class Unlocker(Protocol):
    """One per docking; nothing is written to the camera's storage."""

    def unlock(self, device: Device) -> Device:
        """The device to mount: often another one than the camera showed at first."""
        ...

    def clock_offset_s(self, device: Device) -> int | None:
        """Camera's clock minus ours in seconds, None where the camera cannot be asked."""
        ...


class MassStorage:
    """A camera that is an ordinary USB stick: nothing to unlock, no clock to ask."""

    def unlock(self, device: Device) -> Device:
        return device

    def clock_offset_s(self, device: Device) -> int | None:
        return None


def offset_s(camera_unix_s: float) -> int:
    return round(camera_unix_s - time.time())
