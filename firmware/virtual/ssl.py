"""`ssl` with the time an ESP32 takes for a handshake, holding the interpreter lock as mbedtls does.

The arithmetic comes when the peer's flights come: with a peer that stays mute there is none.
"""

import io
import select

import tls
import world
from tls import CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED, PROTOCOL_TLS_CLIENT  # noqa: F401

_FLIGHTS = 2  # ServerHello to ServerHelloDone; then the Finished
_CLOSE, _FILENO = 4, 10  # MicroPython's stream ioctls
_PEEK = 2  # MSG_PEEK


class SSLContext(tls.SSLContext):
    def load_verify_locations(self, cafile=None, cadata=None):
        super().load_verify_locations(cadata)

    def wrap_socket(self, sock, **options):
        return _Stream(super().wrap_socket(sock, **options), sock)


class _Stream(io.IOBase):
    def __init__(self, stream, sock):
        self._stream = stream
        self._flights = _FLIGHTS
        self._raw = select.poll()
        self._raw.register(sock, select.POLLIN)
        self._sock = sock
        self._fileno = sock.fileno()

    def _arithmetic(self):
        # A peer that closed is readable too, and gives nothing to reckon with.
        if self._flights and self._raw.poll(0) and self._sock.recv(1, _PEEK):
            self._flights -= 1
            world.think(world.TLS_MS)

    def read(self, size=-1):
        self._arithmetic()
        return self._stream.read(size)

    def readinto(self, buffer):
        self._arithmetic()
        return self._stream.readinto(buffer)

    def write(self, data):
        self._arithmetic()
        return self._stream.write(data)

    def ioctl(self, op, argument):
        if op == _CLOSE:
            self._stream.close()
        # As the port's own TLS stream does it: the poll is the socket's.
        return self._fileno if op == _FILENO else 0

    def close(self):
        self._stream.close()
