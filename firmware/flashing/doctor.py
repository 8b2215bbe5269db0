"""What is wrong with this bench, one sentence each with its remedy: `./flash.sh doctor`.

The questions that fill the forums of every ESP32 flasher: may I use the port, who else has it, is
the driver there, does the board run its program instead of its boot loader.
"""

from __future__ import annotations

import os
from pathlib import Path

from flashing import ports
from flashing.chip import BAUDS, Chip, refuse_wrong_chip
from flashing.errors import FlashError
from flashing.ledger import Ledger

NO_BOARD = {
    False: "port: no board is plugged in: plug one in with a data cable",
    # Windows tells a chip without a driver in one place only
    True: "port: no board is plugged in: plug one in with a data cable, and if the Device Manager "
    "shows it with a yellow mark, install the driver of its USB chip (CP210x or CH341SER)",
}
PROC = Path("/proc")
USB_DEVICES = Path("/sys/bus/usb/devices")
DRIVERS = {"CP210x": "cp210x", "CP2105": "cp210x", "FTDI": "ftdi_sio"}  # else the CH34x family's


def holders(device: str, proc: Path = PROC) -> list[str]:
    """Return "name (pid)" of the other processes that have `device` open (Linux; those we see)."""
    real = os.path.realpath(device)
    found: list[str] = []
    for folder in proc.glob("[0-9]*"):
        if folder.name == str(os.getpid()):
            continue
        try:
            if any(os.path.realpath(link) == real for link in (folder / "fd").iterdir()):
                found.append(f"{_text(folder / 'comm')} ({folder.name})")
        except OSError:
            continue  # it has ended, or belongs to somebody else
    return sorted(found)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").strip()


def driverless(usb: Path = USB_DEVICES) -> list[str]:
    """Return a sentence for each USB chip of a board that is plugged in but has no serial port."""
    faults: list[str] = []
    for device in sorted(usb.glob("*")):
        try:
            vendor = int(_text(device / "idVendor"), 16)
            product = int(_text(device / "idProduct"), 16)
        except (OSError, ValueError):
            continue  # a hub port or an interface, not a device
        name = ports.bridge(vendor, product)
        if name is not None and not list(device.glob(f"{device.name}:*/tty*")):
            module = DRIVERS.get(name, "cdc_acm" if name.startswith("Espressif") else "ch341")
            faults.append(
                f"usb {device.name}: a {name} is plugged in but has no serial port: load its "
                f"driver with `sudo modprobe {module}`, or remove brltty where that took it"
            )
    return faults


def port_fault(device: str) -> str | None:
    """Return what keeps us from using this port, or None."""
    if not ports.present(device):
        return f"{device}: there is no such port: plug the board in, or use another --port"
    if os.name == "posix" and not os.access(device, os.R_OK | os.W_OK):
        return (
            f"{device}: you may not use this port: run `sudo usermod -aG dialout $USER` once and "
            "log in again"
        )
    others = holders(device)
    if others:
        return f"{device}: {', '.join(others)} has it open: close that program"
    return None


def board_fault(device: str) -> str | None:
    """Return what is wrong with the board on this port, or None; the board restarts."""
    try:
        with Chip(device, BAUDS[-1]) as chip:
            refuse_wrong_chip(chip.facts, device)
            chip.reset()
    except FlashError as error:
        return str(error)
    return None


def examine(devices: list[str], ledger: Ledger) -> list[str]:
    """Return every fault found: drivers, ports, boards, ledger."""
    faults: list[str] = []
    if USB_DEVICES.is_dir():
        faults += driverless()
    if not devices:
        faults.append(NO_BOARD[os.name == "nt"])
    for device in devices:
        fault = port_fault(device) or board_fault(device)
        if fault is not None:
            faults.append(fault)
    if ledger.torn:
        faults.append(
            "ledger: its last line was torn by a power cut and has been cut off: flash again the "
            "unit that was made then"
        )
    return faults + [f"ledger: {conflict}" for conflict in ledger.conflicts()]
