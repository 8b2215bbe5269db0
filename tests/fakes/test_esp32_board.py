"""The board double: esptool sees a board, the flash behaves as NOR, and what is written boots."""

from __future__ import annotations

import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
import serial

from flashing import filesystem
from tests.fakes import micropython_image
from tests.fakes.esp32_board import ROM_SYNC, Esp32Board
from tests.fakes.esp32_flash import NorFlash


def esptool(board: Esp32Board, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "esptool", "--port", board.port, "--baud", "921600"]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("flash_mb", [2, 16])
def test_esptool_sees_its_own_mac_and_size(tmp_path: Path, flash_mb: int) -> None:
    with Esp32Board(tmp_path, mac="24:0a:c4:12:34:56", flash_mb=flash_mb) as board:
        seen = esptool(board, "flash-id").stdout
    assert "24:0a:c4:12:34:56" in seen
    assert f"{flash_mb}MB" in seen
    assert "40MHz" in seen


def test_what_was_written_boots_and_answers(tmp_path: Path) -> None:
    image = tmp_path / "image.bin"
    image.write_bytes(micropython_image.make())
    fs = tmp_path / "fs.bin"
    fs.write_bytes(filesystem.build({"/main.py": b"print('walked', 41 + 1)\n"}, 2 * 2**20))
    with Esp32Board(tmp_path) as board:
        done = esptool(board, "write-flash", "0x1000", str(image), "0x200000", str(fs))
        assert done.returncode == 0, done.stdout
        with serial.Serial(board.port, 115200, timeout=0.1) as port:
            seen, deadline = b"", time.monotonic() + 10
            while b">>> " not in seen and time.monotonic() < deadline:
                seen += port.read(4096)
                port.write(b"\x03")
        back = tmp_path / "back.bin"
        assert esptool(board, "read-flash", "0x200000", "0x200000", str(back)).returncode == 0
    assert board.flash.read_bytes()[0x1000:][: image.stat().st_size] == image.read_bytes()
    assert filesystem.read(back.read_bytes())["/main.py"] == b"print('walked', 41 + 1)\n"


@pytest.mark.parametrize(("fault", "says"), [("flip@0", "MD5"), ("bootmode", "Failed to connect")])
def test_faults_are_what_they_say(tmp_path: Path, fault: str, says: str) -> None:
    image = tmp_path / "image.bin"
    image.write_bytes(b"\xa5" * 8192)
    with Esp32Board(tmp_path, fault=fault) as board:
        done = esptool(board, "write-flash", "0x10000", str(image))
        assert done.returncode != 0
        assert says in done.stdout + done.stderr


def test_an_unplugged_board_is_gone(tmp_path: Path) -> None:
    image = tmp_path / "image.bin"
    image.write_bytes(b"\xa5" * 8192)
    with Esp32Board(tmp_path, fault="unplug@0") as board:
        command = [sys.executable, "-m", "esptool", "--port", board.port]
        with subprocess.Popen(
            [*command, "write-flash", "0x10000", str(image)], stdout=subprocess.DEVNULL
        ) as host:
            deadline = time.monotonic() + 20
            while board.alive and time.monotonic() < deadline:
                time.sleep(0.05)
            host.kill()  # it would look for the port for seconds
        assert not board.alive


def test_a_silent_board_says_nothing(tmp_path: Path) -> None:
    with (
        Esp32Board(tmp_path, fault="silent") as board,
        serial.Serial(board.port, timeout=0.5) as port,
    ):
        port.write(ROM_SYNC + b"\r\x03")
        assert port.read(1) == b""


def test_the_flash_is_nor(tmp_path: Path) -> None:
    """Beginning a write erases its sectors and no others; a program alone only clears bits."""
    path = tmp_path / "flash.bin"
    path.write_bytes(b"\xff" * 16384)
    flash = NorFlash(path, "none", -1)

    def write(content: bytes, erase: bool) -> None:
        if erase:
            flash.begin_defl(struct.pack("<IIII", len(content), 1, 4096, 4096))
        else:
            flash._decompressor, flash._defl_offset = zlib.decompressobj(), 4096
        packed = zlib.compress(content)
        flash.write_defl_block(struct.pack("<IIII", len(packed), 0, 0, 0) + packed)

    write(b"\xf0" * 4096, erase=True)
    write(b"\x3c" * 4096, erase=False)
    assert path.read_bytes()[4096:8192] == b"\x30" * 4096
    write(b"\x3c" * 4096, erase=True)
    assert path.read_bytes() == b"\xff" * 4096 + b"\x3c" * 4096 + b"\xff" * 8192
