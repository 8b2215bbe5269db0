"""A whole ESP32 on one pty: its ROM loader and flasher stub for esptool, then its MicroPython.

    with Esp32Board(folder, mac="24:0a:c4:00:00:01", flash_mb=4) as board:
        run_esptool(port=board.port)
        board.flash.read_bytes()
        board.world / "levels"      # what the outside does to the pins (firmware/virtual/world.py)

The loader is the PyPI `esp32-mock-bootloader`, fitted with what it lacks: a MAC of its own, other
flash sizes, NOR flash (a program only clears bits, so a missing erase shows), a flash that
outlives a power cut, and faults. When esptool closes the port the board resets: real MicroPython
boots from the flash file, its REPL on the same pty. A pty has no DTR and RTS: what those do on a
real board is not shown by this double.

Each board is a process of its own, so that unplugging is a kill, and boards share nothing.
Faults, given as `kind@block` (counted over the compressed blocks of one session) or `kind`:
flip@n (a bit of the flash turns out wrong), unplug@n, stall@n, silent, bootmode (runs its app
whatever the host does: the strapping pin is not pulled down).
"""

from __future__ import annotations

import argparse
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import threading
import time
import tty
from pathlib import Path

from esp32_mock_bootloader import protocol, registers, server

from tests.fakes.esp32_flash import NorFlash

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MICROPYTHON = ROOT / ".venv-unit/bin/micropython"
VIRTUAL = ROOT / "firmware/virtual"
ROM_SYNC = b"\xc0\x00\x08\x24"  # SLIP, request, SYNC, 36 bytes: how every esptool session begins
RAW_BANNER = b"raw REPL; CTRL-B to exit\r\n>"
BOOT_LOG = b"\r\nrst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n"


class Line:
    """The board's end of the serial line, in the shape `handle_client` asks for."""

    def __init__(self, master: int, first: bytes) -> None:
        self._master, self._first = master, first

    def recv(self, size: int) -> bytes:
        if self._first:
            first, self._first = self._first, b""
            return first
        if not select.select([self._master], [], [], 0.05)[0]:
            raise TimeoutError
        return read_line(self._master)

    def sendall(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._master, data) :]

    def set_timeout(self, seconds: float) -> None: ...
    def close(self) -> None: ...
    def ignore_eof_for_disconnect(self) -> bool:
        return False

    def abort_empty_session(self) -> bool:
        return False


def read_line(master: int) -> bytes:
    """Read from the pty's master; b'' when the host has closed the port."""
    try:
        return os.read(master, 65536)
    except OSError:  # EIO: no process has the slave open
        return b""


def patient_payload(conn: Line, stop: threading.Event, buffer: bytearray) -> bytes | None:
    """The library gives up reading back when the host takes over 50 ms for an acknowledgement."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        payload = server._consume_slip_frame(buffer)
        if payload is not None:
            return payload
        try:
            chunk = conn.recv(4096)
        except TimeoutError:
            continue
        if not chunk:
            return None
        buffer.extend(chunk)
    return None


class App:
    """MicroPython running what is on the flash, on a pty of its own."""

    def __init__(self, want: argparse.Namespace, mode: str = "main") -> None:
        self._want = want
        script = str(HERE / "esp32_boot.py")
        command = [str(MICROPYTHON), "-X", "heapsize=8m", "-i", script]
        arguments = [str(want.flash), str(VIRTUAL), want.mac, mode]
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["PATROL_STATE"] = str(want.flash.parent)
            signal.signal(signal.SIGHUP, signal.SIG_DFL)  # it ends with its board, under nohup too
            os.execv(command[0], [*command, *arguments])
        settings = termios.tcgetattr(self.fd)
        settings[1] &= ~termios.OPOST  # a UART adds nothing to what the program prints
        settings[3] &= ~termios.ECHO
        termios.tcsetattr(self.fd, termios.TCSANOW, settings)
        self._raw = self._typed = False

    def type(self, data: bytes) -> App:
        """Give the host's bytes to the REPL; return the App that runs afterwards."""
        for at in range(len(data)):
            byte = data[at : at + 1]
            if byte == b"\x04" and self._raw and not self._typed:
                return self._soft_reset()
            if byte == b"\x01":
                self._raw, self._typed = True, False
            elif byte == b"\x02":
                self._raw = False
            else:
                self._typed = byte not in b"\x03\x04"
            os.write(self.fd, byte)
        return self

    def _soft_reset(self) -> App:
        self.end()
        fresh = App(self._want, mode="raw")
        fresh.wait_for(b">>> ")
        os.write(fresh.fd, b"\x01")
        fresh.wait_for(RAW_BANNER)
        fresh._raw = True
        fresh.announce = b"OK\r\nMPY: soft reboot\r\n" + RAW_BANNER
        return fresh

    announce = b""

    def wait_for(self, text: bytes) -> None:
        seen, deadline = b"", time.monotonic() + 10
        while text not in seen and time.monotonic() < deadline:
            if select.select([self.fd], [], [], 0.1)[0]:
                seen += read_line(self.fd)

    def end(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            os.close(self.fd)
            self.pid = 0


def serve(want: argparse.Namespace) -> None:
    """Be the board until killed."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    kind, _, block = want.fault.partition("@")
    flash = NorFlash(want.flash, kind, int(block or -1))
    mac = tuple(int(part, 16) for part in want.mac.split(":"))
    registers.mac_bytes_for_chip = lambda chip: mac
    registers.default_crystal_mhz = lambda chip: 40
    protocol.MOCK_FLASH_ID = (0x14 + want.flash_mb.bit_length() - 1) << 16 | 0x4020
    server._recv_slip_payload = patient_payload
    app = App(want)
    signal.signal(signal.SIGTERM, lambda *_: (app.end(), os._exit(0)))
    want.port_file.write_text(os.ttyname(slave))
    os.close(slave)
    hung_up = select.poll()
    hung_up.register(master, 0)
    while True:
        if hung_up.poll(0):  # nobody has the port open: look again soon, and drain the app
            select.select([app.fd], [], [], 0.02)
            ready = select.select([app.fd], [], [], 0)[0]
        else:
            ready = select.select([master, app.fd], [], [])[0]
        if kind == "silent":
            for fd in ready:
                read_line(fd)
            continue
        if app.fd in ready:
            text = read_line(app.fd)
            if not text:  # machine.reset(), or the end of the program
                app.end()
                app = App(want)
            elif not hung_up.poll(0):
                os.write(master, text)
        if master in ready:
            data = read_line(master)
            if ROM_SYNC in data and kind == "bootmode":
                os.write(master, BOOT_LOG)
            elif ROM_SYNC in data:
                app.end()
                line = Line(master, data[data.index(ROM_SYNC) :])
                server.handle_client(
                    line, threading.Event(), want.chip, exit_on_disconnect=True, flash=flash
                )
                app = App(want)
            else:
                app = app.type(data)
                if app.announce:
                    os.write(master, app.announce)
                    app.announce = b""


class Esp32Board:
    """A board for a test: started on entry, its power cut on exit."""

    def __init__(
        self,
        folder: Path,
        mac: str = "24:0a:c4:00:00:01",
        flash_mb: int = 4,
        chip: str = "esp32",
        fault: str = "none",
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.mac = mac
        self.world = folder
        self.flash = folder / "flash.bin"
        if not self.flash.exists():
            self.flash.write_bytes(b"\xff" * (flash_mb * 2**20))
        self._port_file = folder / "port"
        self._log = folder / "board.log"
        self._command = [
            *(sys.executable, "-m", "tests.fakes.esp32_board", "--flash", str(self.flash)),
            *("--port-file", str(self._port_file), "--mac", mac, "--flash-mb", str(flash_mb)),
            *("--chip", chip, "--fault", fault),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> str:
        return self._port_file.read_text()

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def unplug(self) -> None:
        """Cut the power and take the port away, now."""
        if self._process is not None:
            self._process.terminate()

    def __enter__(self) -> Esp32Board:
        self._port_file.unlink(missing_ok=True)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command, cwd=ROOT, stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while not (self._port_file.exists() and self._port_file.read_text()):
            if not self.alive or time.monotonic() > deadline:
                raise RuntimeError(f"the board did not start: {self._log.read_text()}")
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:  # stalled on purpose
                self._process.kill()
                self._process.wait()


def main() -> None:
    ask = argparse.ArgumentParser()
    ask.add_argument("--flash", type=Path, required=True)
    ask.add_argument("--port-file", type=Path, required=True)
    ask.add_argument("--mac", required=True)
    ask.add_argument("--flash-mb", type=int, required=True)
    ask.add_argument("--chip", required=True)
    ask.add_argument("--fault", required=True)
    serve(ask.parse_args())


if __name__ == "__main__":
    main()
