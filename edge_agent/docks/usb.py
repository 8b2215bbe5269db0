"""USB cameras through udev. A bay is a port: whatever is plugged into it, it stays the same bay."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Protocol

import pyudev

from edge_agent.docks.config import Bay, Family
from edge_agent.docks.devices import Change, Device


class BlockDevice(Protocol):
    """What is used of a pyudev.Device."""

    sys_path: str
    action: str | None
    device_node: str | None
    device_type: str | None
    properties: Any  # mapping of str to str


# …/usb1/1-1/1-1.3/1-1.3.2/1-1.3.2:1.0/host0/…: the port is what its own interface repeats
_PORT = re.compile(r"/(\d+-\d+(?:\.\d+)*)/\1:")


def port(sys_path: str) -> str | None:
    """The USB port path of a block device, None when it is not on USB."""
    found = _PORT.findall(sys_path)
    return found[-1] if found else None


def read(block: BlockDevice, bay: str, locked: frozenset[str] = frozenset()) -> Device | None:
    """The camera that a block device is, or None for one that is only a part of the way to it.

    A disk with a partition table is not it (its partitions are), nor a partition without a file
    system; a bare disk is. locked: USB ids whose storage shows only after unlocking.
    """
    get = block.properties.get
    usb = f"{get('ID_VENDOR_ID', '')}:{get('ID_MODEL_ID', '')}"
    filesystem = get("ID_FS_TYPE")
    whole = block.device_type == "disk"
    if usb not in locked and ((whole and get("ID_PART_TABLE_TYPE")) or not (whole or filesystem)):
        return None
    serial = get("ID_SERIAL_SHORT") or get("ID_SERIAL") or ""
    volume = get("ID_FS_UUID") or ""
    camera = ".".join(part for part in (serial, volume) if part)
    return Device(bay, camera, node=block.device_node, filesystem=filesystem, usb=usb)


class UsbSource:
    """Ports of `bays` by udev events; the first poll tells what was plugged in before.

    source: "udev" waits until udev has looked at a device; "kernel" is for tests without udevd.
    Raw file systems of several partitions on one camera: the first one that shows is docked.
    """

    def __init__(
        self, bays: Iterable[Bay], families: Iterable[Family] = (), source: str = "udev"
    ) -> None:
        self._bays = {bay.path: bay.slug for bay in bays if bay.path}
        self._locked = frozenset(
            usb for family in families if family.unlock == "helper" for usb in family.usb
        )
        self._there: dict[str, str] = {}  # bay -> sys_path
        self._context = pyudev.Context()
        self._monitor = pyudev.Monitor.from_netlink(self._context, source=source)
        self._monitor.filter_by("block")
        self._monitor.start()  # before the scan: what comes meanwhile is seen twice, not never
        self._scanned = False

    def poll(self, timeout_s: float) -> list[Change]:
        if not self._scanned:
            self._scanned = True
            there = self._context.list_devices(subsystem="block")
            return [change for block in there for change in self._see(block, "add")]
        block = self._monitor.poll(timeout_s)
        return self._see(block, block.action or "") if block else []

    def _see(self, block: Any, action: str) -> list[Change]:
        bay = self._bays.get(port(block.sys_path) or "")
        if bay is None:
            return []
        if action == "remove":
            if self._there.get(bay) != block.sys_path:
                return []
            del self._there[bay]
            return [Change(bay, None)]
        if action not in ("add", "change") or bay in self._there:
            return []
        device = read(block, bay, self._locked)
        if device is None:
            return []
        self._there[bay] = block.sys_path
        return [Change(bay, device)]
