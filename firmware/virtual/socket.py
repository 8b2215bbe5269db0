"""`socket` with the ESP32's habit about names: a lookup blocks its thread, at worst for seconds."""

import utime
import world
from usocket import *  # noqa: F403
from usocket import getaddrinfo as _getaddrinfo
from usocket import socket as _socket

_LOOKUP_MS = 30
_LAST = 4  # a unit has two lines


def socket(*kind):
    made = _socket(*kind)
    world.sockets.append(made)
    del world.sockets[:-_LAST]
    return made


def getaddrinfo(host, port, *more):
    """Names come from the world's file `dns`. The interpreter lock is free meanwhile."""
    if not host.replace(".", "").isdigit():
        found = [row[1] for row in world.lines("dns") if row[0] == host]
        utime.sleep_ms(_LOOKUP_MS if found else world.DNS_MS)
        with world.LOCK:
            world.note(world.LOOKUP, len(found))
        if not found:
            raise OSError(-2)
        host = found[0]
    return _getaddrinfo(host, port, *more)
