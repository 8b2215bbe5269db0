"""A connection to a broker, opened without ever stopping the program: DNS, TCP, TLS."""

import errno
import socket
from asyncio import core  # pyright: ignore[reportAttributeAccessIssue] (not in the stubs)

from drivers.config import der

_TCP, _NODELAY = 6, 1


class Connector:
    """Opens sockets. The TLS context is made once: reading the key costs 40 ms and 10 KB."""

    def __init__(self, resolver):
        self._resolver = resolver
        self._context = None

    async def open(self, host: str, port: int, tls: bool, name: str):
        """-> a socket that never blocks. Cancel it when it takes too long. OSError."""
        info = await self._resolver.resolve(host, port)
        sock = socket.socket(info[0], info[1], info[2])
        try:
            sock.setblocking(False)
            sock.setsockopt(_TCP, _NODELAY, 1)
            await _connect(sock, info[-1])
            if tls:
                # The handshake goes on inside the first reads and writes, a flight at a time.
                sock = self._tls().wrap_socket(
                    sock, server_hostname=name, do_handshake_on_connect=False
                )
        except BaseException as error:
            sock.close()
            if isinstance(error, OSError):
                self._resolver.forget(host, port)
            raise
        return sock

    def _tls(self):
        if self._context is None:
            import ssl  # only where it is needed: the 32-bit desk build has none

            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=der("ca.der"))
            context.load_cert_chain(der("cert.der"), der("key.der"))
            self._context = context
        return self._context


async def _connect(sock, address):
    try:
        sock.connect(address)
        return
    except OSError as error:
        if error.errno != errno.EINPROGRESS:
            raise
    await _writable(sock)  # pyright: ignore[reportGeneralTypeIssues] (MicroPython awaits these)


def _writable(sock):
    """Until the connection stands, or has failed: the first write tells (as open_connection)."""
    yield core._io_queue.queue_write(sock)
