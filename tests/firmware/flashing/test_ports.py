"""Ports, the doctor's findings, and what serial troubles are called in a sentence."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flashing import chip_errors, doctor, ports
from flashing.errors import FlashError
from flashing.ledger import Ledger
from flashing.repl import Repl
from tests.fakes.esp32_board import Esp32Board


def entry(device: str, vid: int | None, pid: int | None, location: str | None) -> Any:
    return SimpleNamespace(device=device, vid=vid, pid=pid, location=location)


ENTRIES = [
    entry("/dev/ttyUSB1", 0x1A86, 0x7523, "1-1.10"),
    entry("/dev/ttyUSB0", 0x10C4, 0xEA60, "1-1.2:1.0"),
    entry("/dev/ttyACM0", 0x2341, 0x0043, "1-1.3"),  # an Arduino: none of ours
    entry("/dev/ttyS0", None, None, None),
]


def test_ports_are_named_by_chip_and_place() -> None:
    listed = ports.found(lambda: ENTRIES)
    assert [str(port) for port in listed] == [
        "/dev/ttyUSB0 (CP210x, USB place 1-1.2)",
        "/dev/ttyUSB1 (CH340, USB place 1-1.10)",
    ]


def test_a_port_is_never_guessed() -> None:
    listed = ports.found(lambda: ENTRIES)
    assert ports.choose(listed[:1]) == "/dev/ttyUSB0"
    with pytest.raises(FlashError, match=r"2 boards.*1-1\.2.*--port"):
        ports.choose(listed)
    with pytest.raises(FlashError, match="no board is plugged in"):
        ports.choose([])


@pytest.mark.parametrize(
    ("text", "says", "slower"),
    [
        ("[Errno 13] Permission denied: '/dev/ttyUSB0'", "dialout", False),
        ("busy or doesn't exist. ([Errno 2] No such file)", "no such port", False),
        ("busy or doesn't exist. (Could not exclusively lock)", "has the port open", False),
        ("could not open port 'COM3': PermissionError(13, 'Access is denied.')", "open", False),
        ("write failed: [Errno 5] Input/output error", "went away", False),
        ("MD5 of file does not match data in flash!", "did not keep", False),
        ("Failed to connect to ESP32: No serial data received.", "does not answer", False),
        ("Wrong boot mode detected (0x13)!", "hold BOOT", False),
        ("Packet content transfer stopped (received 8 bytes)", "line to the board is bad", True),
        ("Invalid head of packet (0x65): Possible serial noise", "line to the board", True),
    ],
)
def test_troubles_have_one_sentence(text: str, says: str, slower: bool) -> None:
    error = chip_errors.explain("COM3", text)
    assert says in str(error)
    assert error.slower == slower


def test_who_holds_a_port_is_named(tmp_path: Path) -> None:
    device = tmp_path / "ttyUSB0"
    device.touch()
    for pid, comm, target in [("77", "minicom", device), ("78", "bash", tmp_path / "other")]:
        folder = tmp_path / "proc" / pid / "fd"
        folder.mkdir(parents=True)
        (folder / "3").symlink_to(target)
        (folder.parent / "comm").write_text(comm + "\n")
    assert doctor.holders(str(device), tmp_path / "proc") == ["minicom (77)"]


def test_a_chip_without_its_driver_is_told(tmp_path: Path) -> None:
    for name, vendor, with_tty in [
        ("1-1", "1a86", False),
        ("1-2", "1a86", True),
        ("1-3", "dead", 0),
    ]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "idVendor").write_text(vendor)
        (tmp_path / name / "idProduct").write_text("7523")
        if with_tty:
            (tmp_path / name / f"{name}:1.0/ttyUSB0").mkdir(parents=True)
    (told,) = doctor.driverless(tmp_path)
    assert "usb 1-1: a CH340" in told
    assert "modprobe ch341" in told


def test_a_port_without_permission_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = tmp_path / "ttyUSB0"
    device.touch()
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may open everything
    assert "dialout" in (doctor.port_fault(str(device)) or "")


def test_the_doctor_finds_nothing_at_a_good_bench(tmp_path: Path) -> None:
    with Esp32Board(tmp_path / "board") as board:
        assert doctor.board_fault(board.port) is None
    assert "no such port" in (doctor.port_fault(str(tmp_path / "gone")) or "")
    assert doctor.examine([], Ledger(tmp_path))[-1].startswith("port: no board")


def test_a_silent_unit_is_given_up_within_the_limit(tmp_path: Path) -> None:
    with (
        Esp32Board(tmp_path, fault="silent") as board,
        pytest.raises(FlashError, match="does not answer"),
    ):
        Repl(board.port, patience=2)
