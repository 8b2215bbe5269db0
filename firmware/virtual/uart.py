"""`machine.UART` on a desk: the other end is a Unix socket of the world's."""

import select
import struct

import usocket
import world

uarts = []
_PIECE = 128  # bytes taken over at a time


class UART:
    """The other end is the Unix socket `uart<id>`. What does not fit into `rxbuf` is lost."""

    def __init__(self, number, baudrate=9600, tx=None, rx=None, rxbuf=256, **options):
        self._address = struct.pack(
            "<H108s", usocket.AF_UNIX, world.path("uart%d" % number).encode()
        )
        # On the chip this buffer is the driver's, outside MicroPython's heap: here it is a file.
        self._rx = open(world.path("uart%d.rx" % number), "w+b")
        self._room = rxbuf
        self._have = self._taken = 0
        self._socket = None
        self.baudrate = baudrate
        uarts.append(self)

    def sleep(self):
        """Its clock stood still: what came meanwhile is gone."""
        have = self._have
        while self.any() > have:
            self._have = have

    def init(self, baudrate=None, **options):
        self.baudrate = baudrate or self.baudrate

    def _line(self):
        if self._socket is None:
            line = usocket.socket(usocket.AF_UNIX, usocket.SOCK_STREAM)
            try:
                line.connect(self._address)
            except OSError:
                line.close()  # nothing is wired to it
                return None
            line.setblocking(False)
            self._socket = line
        return self._socket

    def _fetch(self):
        """Take what has come over the wire; beyond the buffer it is gone, as in the driver."""
        line = self._line()
        while line is not None:
            data = line.recv(_PIECE) if readable(line) else None
            if data is None:
                return
            if not data:
                line.close()
                self._socket = None
                return
            self._rx.seek(self._taken + self._have)
            self._have += self._rx.write(data[: self._room - self._have])

    def any(self):
        self._fetch()
        return self._have

    def read(self, count=None):
        self._fetch()
        count = self._have if count is None else min(count, self._have)
        if not count:
            return None
        self._rx.seek(self._taken)
        self._have -= count
        self._taken = self._taken + count if self._have else 0
        return self._rx.read(count)

    def readinto(self, buffer, count=None):
        data = self.read(min(len(buffer), count or len(buffer)))
        if data is None:
            return None
        buffer[: len(data)] = data
        return len(data)

    def write(self, data):
        line = self._line()
        if line is not None:
            try:
                line.write(data)
            except OSError:
                line.close()
                self._socket = None
        return len(data)  # a wire does not say whether anybody listens


def readable(line):
    poll = select.poll()
    try:
        poll.register(line, select.POLLIN)
        return bool(poll.poll(0))
    except OSError:
        return False  # closed
