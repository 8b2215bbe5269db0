"""Bring what the tests need from Debian: as root or by sudo; elsewhere say what is missing.

Stdlib only: it runs before anything is installed. Never fails: what is missing is skipped by the
tests that need it, and each skip says which package (CI allows no skip).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

# package -> (a path or command it brings, what for)
PACKAGES = {
    "mosquitto": ("mosquitto", "the county's broker, with TLS and ACL"),
    "mosquitto-clients": ("mosquitto_pub", "stock clients at the units' endpoint"),
    "chromium": ("chromium", "the staff's page in a real browser"),
    "fonts-noto-cjk": ("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", "Chinese text"),
    "exfat-fuse": ("mount.exfat-fuse", "camera images as the dock mounts them"),
    "exfatprogs": ("mkfs.exfat", "camera images"),
    "fusefat": ("fusefat", "camera images"),
    "dosfstools": ("mkfs.fat", "camera images"),
    "fuse": ("fusermount", "a disk that forgets what was not synced"),
    "libfuse2": ("/lib/x86_64-linux-gnu/libfuse.so.2", "the same"),
    "e2fsprogs": ("mkfs.ext4", "a checkpoint's disk, cut and filled"),
    "mount": ("losetup", "the same"),
    "graphviz": ("dot", "wiring diagrams"),
    "openscad": ("openscad", "the enclosure"),
    "xvfb": ("Xvfb", "a screen for OpenSCAD"),
    "xauth": ("xauth", "a screen for OpenSCAD"),
}
SBIN = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def missing() -> list[str]:
    """Packages whose command or file is not here."""
    return [
        package
        for package, (brings, _) in PACKAGES.items()
        if not (
            Path(brings).exists() if brings.startswith("/") else shutil.which(brings, path=SBIN)
        )
    ]


def install(packages: list[str]) -> bool:
    """apt-get install as root or by sudo without a question; False where that is not allowed."""
    if shutil.which("apt-get") is None:
        return False
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if sudo and (
        shutil.which("sudo") is None
        or subprocess.run([*sudo, "true"], capture_output=True).returncode
    ):
        return False
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    quiet = {"env": env, "stdout": subprocess.DEVNULL}
    subprocess.run([*sudo, "apt-get", "update", "-qq"], **quiet)
    command = [*sudo, "apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    return subprocess.run(command, **quiet).returncode == 0


if __name__ == "__main__":
    if wanted := missing():
        print("installing from Debian:", *wanted, flush=True)
        install(wanted)
    for package in missing():
        print(f"missing: {package} ({PACKAGES[package][1]}): apt-get install {package}")
    sys.exit(0)
