"""Runs under MicroPython: QoS 1 publishes a second, by the unit's client and by a bare socket.

argv: port, count, "client" or "raw". Prints the rate. The payload is a location's size.
"""

import asyncio
import socket
import sys
import time

from drivers.mqtt import Session
from patrol_contract.mqtt_packets import V311, Connect, encode_connect, encode_publish

WINDOW = 32
TOPIC = "owntracks/c371500/u-0001"
PAYLOAD = b'{"_type":"location",' + b"x" * 180
HELLO = Connect("rate", V311, True, 60, None, None, None, {})


class Clock:
    def now_ms(self):
        return time.ticks_ms()


async def client(port, count):
    sock = socket.socket()
    sock.connect(socket.getaddrinfo("127.0.0.1", port)[0][-1])
    sock.setblocking(False)
    sock.setsockopt(6, 1, 1)
    session = Session(sock, Clock(), WINDOW)
    await session.hello(HELLO)
    sent = acked = 0
    done = asyncio.Event()

    def pump():
        nonlocal sent
        while sent < count and session.publish(TOPIC, PAYLOAD, False, sent):
            sent += 1

    def on_puback(record, reason):
        nonlocal acked
        acked += 1
        pump()
        if acked == count:
            done.set()

    task = asyncio.create_task(session.run(None, on_puback, lambda: None))
    began = time.ticks_us()
    pump()
    await done.wait()
    spent = time.ticks_diff(time.ticks_us(), began)
    task.cancel()
    return count * 1000000 // spent


def raw(port, count):
    """The same packets, made before; the window is kept by counting bytes of PUBACKs."""
    sock = socket.socket()
    sock.connect(socket.getaddrinfo("127.0.0.1", port)[0][-1])
    sock.setsockopt(6, 1, 1)
    sock.write(encode_connect(HELLO))
    sock.read(4)
    packet = encode_publish(V311, TOPIC, PAYLOAD, 1, 1)
    batch = packet * WINDOW
    size = len(packet)
    began = time.ticks_us()
    sock.write(batch)
    sent = WINDOW
    acked = left = 0
    while acked < count:
        got = left + len(sock.recv(4096))
        left = got % 4  # a PUBACK has four bytes
        acked += got // 4
        more = min(got // 4, count - sent)
        if more > 0:
            sock.write(batch[: more * size])
            sent += more
    spent = time.ticks_diff(time.ticks_us(), began)
    return count * 1000000 // spent


port, count = int(sys.argv[1]), int(sys.argv[2])
print(asyncio.run(client(port, count)) if sys.argv[3] == "client" else raw(port, count))
