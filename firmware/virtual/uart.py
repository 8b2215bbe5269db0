"""`machine.UART` on a desk: the other end is a Unix socket of the world's."""

import select
import struct

import usocket
import world

uarts = []


class UART:
    """The other end is the Unix socket `uart<id>`. What does not fit into `rxbuf` is lost."""

    def __init__(self, number, baudrate=9600, tx=None, rx=None, rxbuf=256, **options):
        self._address = struct.pack(
            "<H108s", usocket.AF_UNIX, world.path("uart%d" % number).encode()
        )
        self._rx = bytearray(rxbuf)
        self._have = 0
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
            data = line.recv(512) if readable(line) else None
            if data is None:
                return
            if not data:
                line.close()
                self._socket = None
                return
            kept = data[: len(self._rx) - self._have]
            self._rx[self._have : self._have + len(kept)] = kept
            self._have += len(kept)

    def any(self):
        self._fetch()
        return self._have

    def read(self, count=None):
        self._fetch()
        count = self._have if count is None else min(count, self._have)
        if not count:
            return None
        data = bytes(self._rx[:count])
        self._have -= count
        self._rx[: self._have] = self._rx[count : count + self._have]
        return data

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

    def flush(self):
        pass


def readable(line):
    poll = select.poll()
    try:
        poll.register(line, select.POLLIN)
        return bool(poll.poll(0))
    except OSError:
        return False  # closed
