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
    attributes: Any  # files in its sysfs folder, as bytes


# …/usb1/1-1/1-1.3/1-1.3.2/1-1.3.2:1.0/host0/…: the port is what its own interface repeats
_PORT = re.compile(r"/(\d+-\d+(?:\.\d+)*)/\1:")


def port(sys_path: str) -> str | None:
    """The USB port path of a block device, None when it is not on USB."""
    found = _PORT.findall(sys_path)
    return found[-1] if found else None


def read(block: BlockDevice, bay: str, locked: frozenset[str] = frozenset()) -> Device | None:
    """The file system that a block device is, or None for what is no camera's storage.

    A disk with a partition table is not it (its partitions are), nor a partition without a file
    system, a card reader's slot without a card, or the CD that some makers put their software on; a
    bare disk is. locked: USB ids whose storage shows only after unlocking.
    """
    get = block.properties.get
    usb = f"{get('ID_VENDOR_ID', '')}:{get('ID_MODEL_ID', '')}"
    filesystem = get("ID_FS_TYPE")
    whole = block.device_type == "disk"
    if get("ID_CDROM") or block.attributes.get("size") == b"0":
        return None
    if usb not in locked and ((whole and get("ID_PART_TABLE_TYPE")) or not (whole or filesystem)):
        return None
    serial = get("ID_SERIAL_SHORT") or get("ID_SERIAL") or ""
    volume = get("ID_FS_UUID") or ""
    camera = ".".join(part for part in (serial, volume) if part)
    return Device(bay, camera, node=block.device_node, filesystem=filesystem, usb=usb)


def now_there(known: Device | None, seen: Device | None, locked: frozenset[str]) -> Device | None:
    """What stands for a block device after a "change", which may mean a card or nothing at all.

    known: what stood for it; seen: what `read` makes of it now.
    """
    if known is not None and known.usb in locked:
        return known  # unlocked by us: it is the same camera under the same name
    if known is None or known.filesystem is None:
        return seen  # a file system showed, or the stick was divided into partitions
    if seen is not None and seen.filesystem and seen.camera != known.camera:
        return seen  # another card in the reader
    return known  # udev looked at it while it was busy, and saw less than there is


class UsbSource:
    """Ports of `bays` by udev events; the first poll tells what was plugged in before.

    source: "udev" waits until udev has looked at a device; "kernel" is for tests without udevd.
    A camera with two cards or partitions is two devices in one bay.
    """

    def __init__(
        self, bays: Iterable[Bay], families: Iterable[Family] = (), source: str = "udev"
    ) -> None:
        self._bays = {bay.path: bay.slug for bay in bays if bay.path}
        self._locked = frozenset(
            usb for family in families if family.unlock == "helper" for usb in family.usb
        )
        self._there: dict[str, dict[str, Device]] = {}  # bay -> sys_path -> device
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
        if bay is None or action not in ("add", "change", "remove"):
            return []
        there = self._there.setdefault(bay, {})
        known = there.get(block.sys_path)
        seen = None if action == "remove" else read(block, bay, self._locked)
        empty = action == "remove" or block.attributes.get("size") == b"0"
        now = None if empty else now_there(known, seen, self._locked)
        if now == known:
            return []
        if now is None:
            del there[block.sys_path]
        else:
            there[block.sys_path] = now
        return [Change(bay, tuple(there.values()))]
