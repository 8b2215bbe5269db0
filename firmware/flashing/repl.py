"""MicroPython's raw REPL over a serial port, with a limit on every wait.

A unit may be silent, crashed, in its boot loader or busy with its own program; each of these ends
in one sentence within the limit. Protocol: docs.micropython.org, "The MicroPython REPL", raw-paste
mode: Ctrl-A enters, Ctrl-E A Ctrl-A begins a paste, Ctrl-D ends it; the answer is output 0x04
error 0x04 `>`.
"""

from __future__ import annotations

import struct
import time

import serial

from flashing.chip_errors import ChipError, explain

BANNER = b"raw REPL; CTRL-B to exit\r\n>"
ENTER_SECONDS = 15.0  # a unit that boots with a full store takes a few seconds to listen


class DeviceError(ChipError):
    """A snippet raised on the unit; the text is the last line of its traceback."""


class Repl:
    """The unit's interpreter, stopped and freshly reset, without its main program running."""

    def __init__(self, port: str, patience: float = ENTER_SECONDS) -> None:
        self.port = port
        try:
            # exclusive: a second program on the port would take half of the answers
            self._line = serial.Serial(port, 115200, timeout=0.05, write_timeout=5, exclusive=True)
        except (serial.SerialException, OSError) as error:
            raise explain(port, str(error)) from error
        try:
            self._enter(patience)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Repl:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._line.close()

    def run(self, code: str, seconds: float = 10.0) -> str:
        """Run `code` and return what it printed; DeviceError when it raised."""
        deadline = time.monotonic() + seconds
        self._paste(code.encode(), deadline)
        output = self._until(b"\x04", deadline)
        error = self._until(b"\x04", deadline)
        self._until(b">", deadline)
        if error.strip():
            last = error.decode(errors="replace").strip().splitlines()[-1]
            raise DeviceError(self.port, f"the unit's program failed with {last}", slower=False)
        return output.decode(errors="replace").replace("\r\n", "\n")

    def _paste(self, source: bytes, deadline: float) -> None:
        """Send `source` in raw-paste mode: the unit grants windows, as its buffer is 256 bytes."""
        self._write(b"\x05A\x01")
        self._until(b"R\x01", deadline)
        (step,) = struct.unpack("<H", self._exactly(2, deadline))
        room = step
        while source:
            if not room:
                self._until(b"\x01", deadline)
                room += step
            self._write(source[:room])
            source, room = source[room:], room - min(room, len(source))
        self._write(b"\x04")
        self._until(b"\x04", deadline)  # window grants come before it, and are not wanted any more

    def restart(self) -> None:
        """Reset the chip: its own program starts."""
        self._paste(b"import machine\nmachine.reset()\n", time.monotonic() + 5)

    def _enter(self, patience: float) -> None:
        """Interrupt whatever runs, then reset softly: in raw mode main.py is not started again."""
        deadline = time.monotonic() + patience
        while True:
            # Ctrl-B first: a raw REPL left open by another program is left with it
            self._write(b"\r\x02\x03\x03\r\x01")
            try:
                self._until(BANNER, min(deadline, time.monotonic() + 1.0))
                break
            except ChipError:
                if time.monotonic() >= deadline:
                    raise
        self._write(b"\x04")
        self._until(b"soft reboot", deadline)
        self._until(BANNER, deadline)

    def _write(self, data: bytes) -> None:
        try:
            self._line.write(data)
        except (serial.SerialException, OSError) as error:
            raise explain(self.port, str(error)) from error

    def _until(self, end: bytes, deadline: float) -> bytes:
        """Return what came before `end`; nothing is read beyond it."""
        seen = b""
        while not seen.endswith(end):
            seen += self._exactly(1, deadline)
        return seen[: -len(end)]

    def _exactly(self, count: int, deadline: float) -> bytes:
        seen = b""
        while len(seen) < count:
            try:
                seen += self._line.read(count - len(seen))
            except (serial.SerialException, OSError) as error:
                raise explain(self.port, str(error)) from error
            if time.monotonic() > deadline:
                raise ChipError(
                    self.port,
                    "the unit's program does not answer: press RESET on the board and run "
                    "./flash.sh check again",
                    slower=False,
                )
        return seen
