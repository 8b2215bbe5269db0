"""What surrounds a unit on the bench: a receiver, a modem, a battery, and a finger on the button.

For an Esp32Board, through the files and sockets of firmware/virtual/world.py.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import threading
from collections.abc import Callable

from tests.fakes.esp32_board import Esp32Board

NMEA = b"$GNRMC,123519.00,A,3604.1234,N,12022.5678,E,0.02,84.4,211126,,,A*%02X\r\n"
PRESS = "press the button"


def sentence() -> bytes:
    """Return one valid RMC with a fix."""
    body = NMEA.split(b"$")[1].split(b"*")[0]
    total = 0
    for byte in body:
        total ^= byte
    return NMEA % total


class UnitWorld:
    """Runs until left. `silent` leaves out parts: {"gps", "modem", "button"}."""

    def __init__(self, board: Esp32Board, silent: frozenset[str] = frozenset()) -> None:
        self._folder, self._silent = board.world, silent
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> UnitWorld:
        self._folder.joinpath("adc").write_bytes(struct.pack("<H", 1950) * 40)  # 3.9 V over 2
        if "gps" not in self._silent:
            self._serve("uart1", self._receiver)
        if "modem" not in self._silent:
            self._serve("uart2", self._modem)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def obey(self, port: str, text: str) -> None:
        """Do what the flasher asks of the person: a press of 200 ms."""
        if PRESS in text and "button" not in self._silent:
            thread = threading.Thread(target=self._press)
            thread.start()
            self._threads.append(thread)

    def _press(self) -> None:
        levels = self._folder / "levels"
        at_rest = levels.read_bytes()
        pressed = bytearray(at_rest)
        pressed[33] = ord("0")  # the boards' button: GPIO 33, low while pressed
        for content in (bytes(pressed), at_rest):
            self._stop.wait(0.2)
            levels.write_bytes(content)

    def _serve(self, name: str, speak: Callable[[socket.socket], None]) -> None:
        listener = socket.socket(socket.AF_UNIX)
        address = self._folder / name
        address.unlink(missing_ok=True)
        listener.bind(os.fspath(address))
        listener.listen()
        thread = threading.Thread(target=self._accept, args=(listener, speak))
        thread.start()
        self._threads.append(thread)

    def _accept(self, listener: socket.socket, speak: Callable[[socket.socket], None]) -> None:
        with listener:
            while not self._stop.is_set():
                if select.select([listener], [], [], 0.1)[0]:
                    line, _ = listener.accept()
                    with line, contextlib.suppress(OSError):  # the unit was reset
                        speak(line)

    def _receiver(self, line: socket.socket) -> None:
        while not self._stop.wait(0.2):
            line.sendall(sentence())

    def _modem(self, line: socket.socket) -> None:
        answers = {
            b"AT+CGSN": b"\r\n861234567890123\r\n",
            b"AT+CCID": b"\r\n+CCID: 89860012345678901234\r\n",
        }
        while not self._stop.is_set():
            if select.select([line], [], [], 0.1)[0]:
                asked = line.recv(256)
                if not asked:
                    return
                for command in asked.split(b"\r"):
                    if command:
                        line.sendall(answers.get(command, b"") + b"\r\nOK\r\n")
