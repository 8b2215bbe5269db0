"""Injected USB uevents: what the kernel says when a camera is plugged in, whole port path and all.

Only in a network namespace of one's own (`unshare --net`): the kernel passes on what root sends it
there, pyudev's source "kernel" hears it, and nobody else's udev does.
"""

from __future__ import annotations

import socket
import struct

NETLINK_KOBJECT_UEVENT = 15
DISK = (
    "/devices/platform/scb/fd500000.pcie/pci0000:00/0000:00:00.0/0000:01:00.0/usb1/{ports}/"
    "{port}:1.0/host0/target0:0:0/0:0:0:0/block/{disk}"
)


def disk_path(port: str, disk: str) -> str:
    """DEVPATH of `disk` at a port: "1-1.3" lies below 1-1 below usb1."""
    parts = port.split(".")
    ports = "/".join(".".join(parts[: n + 1]) for n in range(len(parts)))
    return DISK.format(ports=ports, port=port, disk=disk)


def send(action: str, path: str, **properties: str) -> None:
    """One block uevent; properties as udev or the kernel would add them."""
    pairs = {"ACTION": action, "DEVPATH": path, "SUBSYSTEM": "block", **properties}
    text = f"{action}@{path}\0" + "".join(f"{key}={value}\0" for key, value in pairs.items())
    body = text.encode()
    head = struct.pack("=IHHII", 16 + len(body), 16, 1, 1, 0)  # nlmsghdr
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, NETLINK_KOBJECT_UEVENT) as netlink:
        netlink.bind((0, 0))
        netlink.sendto(head + body, (0, 0))  # to the kernel, which tells all
