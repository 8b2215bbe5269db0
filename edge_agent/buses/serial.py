"""One serial port on which a device prints lines; several sensors may listen to it.

The framer is pure (bytes in, lines out) and never holds more than `longest` bytes: a device that
loses its mind and sends 10 MB without an end costs a counted, dropped line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import serial

from edge_agent.buses.port import (
    REOPEN_S,
    BusFault,
    LineTooLong,
    PortGone,
    not_opened,
    unplugged,
    why_not,
)
from edge_agent.buses.section import SerialSection

Listener = Callable[[bytes | BusFault | None], None]
CHUNK = 4096


class Framer:
    """Bytes -> lines, whatever the pieces they come in."""

    def __init__(self, end: bytes, longest: int) -> None:
        self._end = end
        self._longest = longest
        self._rest = b""
        self._skipping = False
        self.dropped = 0  # lines longer than `longest`

    def feed(self, data: bytes) -> list[bytes]:
        """Complete lines without their end; "\\r" before it is cut too."""
        *lines, self._rest = (self._rest + data).split(self._end)
        good: list[bytes] = []
        for line in lines:
            if self._skipping:
                self._skipping = False  # the tail of a line that was too long
            elif len(line) > self._longest:
                self.dropped += 1
            else:
                good.append(line.removesuffix(b"\r"))
        if len(self._rest) >= self._longest + len(self._end):  # its last bytes may begin an end
            self.dropped += not self._skipping
            self._skipping = True
            # An end may be split over two pieces: keep what could be its beginning.
            self._rest = self._rest[len(self._rest) - len(self._end) + 1 :]
        return good


class SerialBus:
    """The port, opened again by itself. Listeners get each line; PortGone when the port is lost and
    None when it is back; LineTooLong once for each line that is dropped."""

    def __init__(self, section: SerialSection) -> None:
        self.section = section
        self.name = section.name
        self.state: PortGone | None = None
        self._tried = False  # before the first attempt nobody can say what is wrong
        self._listeners: list[Listener] = []
        self._port: serial.Serial | None = None
        self._lost = asyncio.Event()
        self._framer = self._new_framer()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Returns what ends the listening. The present state is told at once."""
        self._listeners.append(listener)
        if self._tried:
            listener(self.state)
        return lambda: self._listeners.remove(listener)

    def write(self, data: bytes) -> None:
        """What starts a device talking. Raises PortGone."""
        if self._port is None:
            raise self.state or not_opened(self.section.port)
        try:
            self._port.write(data)
        except (serial.SerialException, OSError) as exc:
            self._lost.set()
            raise not_opened(self.section.port) from exc

    async def run(self) -> None:
        """Keep the port open, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            if port := self._open():
                self._port, self._framer = port, self._new_framer()
                self._lost.clear()
                descriptor: int = port.fileno()
                loop.add_reader(descriptor, self._read)
                self._tell(None)
                try:
                    await self._lost.wait()
                finally:
                    loop.remove_reader(descriptor)
                    port.close()
                    self._port = None
                self._tell(unplugged(self.section.port))
            await asyncio.sleep(REOPEN_S)

    def _open(self) -> serial.Serial | None:
        section = self.section
        if why := why_not(section.port):
            self._tell(PortGone(why))
            return None
        try:
            return serial.Serial(
                section.port,
                section.baud,
                bytesize=section.data_bits,
                parity=section.parity,
                stopbits=section.stop_bits,
                timeout=0,
                write_timeout=0,
                exclusive=True,
            )
        except (serial.SerialException, OSError, ValueError):
            self._tell(not_opened(section.port))
            return None

    def _read(self) -> None:
        assert self._port is not None
        try:
            data: bytes = self._port.read(CHUNK)
        except (serial.SerialException, OSError):
            self._lost.set()
            return
        dropped = self._framer.dropped
        items: list[bytes | BusFault] = [*self._framer.feed(data)]
        if self._framer.dropped > dropped:
            items.append(
                LineTooLong(
                    f"一行超过 {self.section.longest} 字节，检查 end 和波特率"
                    f" / a line over {self.section.longest} bytes, check end and baud"
                )
            )
        for item in items:
            for listener in list(self._listeners):
                listener(item)

    def _tell(self, state: PortGone | None) -> None:
        if self._tried and str(state) == str(self.state):
            return
        self.state, self._tried = state, True
        for listener in list(self._listeners):
            listener(state)

    def _new_framer(self) -> Framer:
        return Framer(self.section.end.encode(), self.section.longest)
