"""Cameras that hide their storage until they are asked properly. Seam: `Unlocker`.

A new family is a class here with a row in UNLOCKERS, and `[[docks.family]] unlock = "…"`.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import Protocol

from edge_agent.docks.config import Family
from edge_agent.docks.devices import Device

HELPER_S = 30.0


class UnlockRefused(Exception):
    """The camera did not open: one sentence that staff can act on, Chinese first."""


class Unlocker(Protocol):
    """One per docking. Writes nothing to the camera's storage."""

    def unlock(self, device: Device) -> Device | None:
        """The device to mount; None when the camera will come back by itself as a new device.

        Raises UnlockRefused.
        """
        ...

    def clock_offset_s(self) -> int | None:
        """Camera's clock minus ours in seconds, after unlock; None where it cannot be asked."""
        ...


class MassStorage:
    """A camera that is an ordinary USB stick: nothing to unlock, no clock to ask."""

    def unlock(self, device: Device) -> Device | None:
        return device

    def clock_offset_s(self) -> int | None:
        return None


class Helper:
    """The documented example of a vendor unlock: a program that speaks the maker's protocol.

    Makers of Chinese recorders give no description of it, but a library; so `helper` in the
    family names a small program around that library. Contract: argument 1 is the device node; the
    password comes on standard input (never in arguments, where any user can read it), ended by a
    line feed; exit 0 means open; the first line of output, if any, is the camera's own clock in
    Unix seconds. Any other exit code is a refusal and the last line on standard error says why.
    """

    def __init__(self, family: Family) -> None:
        self._family = family
        self._offset: int | None = None

    def unlock(self, device: Device) -> Device | None:
        family = self._family
        assert family.helper and family.password_file  # config.Family checks
        password = family.password_file.read_bytes().strip() + b"\n"
        try:
            done = subprocess.run(
                [family.helper, device.node or str(device.root)],
                input=password,
                capture_output=True,
                timeout=HELPER_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UnlockRefused(
                f"解锁程序没有完成 / the unlock helper of {family.name} did not finish:"
                f" {type(error).__name__}; put the camera in again"
            ) from error
        if done.returncode:
            why = done.stderr.decode(errors="replace").strip().rpartition("\n")[2][:120]
            raise UnlockRefused(
                f"记录仪拒绝解锁，请核对口令 / {family.name} refused its password"
                f" ({why or done.returncode}); check {family.password_file}"
            )
        clock = done.stdout.split(b"\n", 1)[0].strip()
        if clock.isdigit():
            self._offset = int(clock) - round(time.time())
        return device if family.same_device else None

    def clock_offset_s(self) -> int | None:
        return self._offset


UNLOCKERS: dict[str, Callable[[Family], Unlocker]] = {
    "mass-storage": lambda _: MassStorage(),
    "helper": Helper,
}


def unlocker(device: Device, families: tuple[Family, ...]) -> Unlocker:
    """By USB vendor and product; whoever is in no family is tried as mass storage."""
    family = family_of(device, families)
    return UNLOCKERS[family.unlock](family) if family else MassStorage()


def family_of(device: Device, families: tuple[Family, ...]) -> Family | None:
    return next((family for family in families if device.usb in family.usb), None)
