"""Runs under MicroPython: the client alone connects and publishes; argv: port.

Prints how many PUBACKs came. For the smallest heap in which it can: a window of 8, payloads of a
location's size.
"""

import asyncio
import socket
import sys
import time

from drivers.mqtt import Session
from patrol_contract.mqtt_packets import V311, Connect

COUNT = 50
TOPIC = "owntracks/c371500/u-0001"
PAYLOAD = b"x" * 200


class Clock:
    def now_ms(self):
        return time.ticks_ms()


async def run(port):
    sock = socket.socket()
    sock.connect(socket.getaddrinfo("127.0.0.1", port)[0][-1])
    sock.setblocking(False)
    session = Session(sock, Clock(), 8)
    await session.hello(Connect("client", V311, True, 60, None, None, None, {}))
    done = asyncio.Event()
    acked = [0]

    def on_puback(record, reason):
        acked[0] += 1
        if acked[0] == COUNT:
            done.set()
        elif record + 8 < COUNT:
            session.publish(TOPIC, PAYLOAD, False, record + 8)

    task = asyncio.create_task(session.run(None, on_puback, lambda: None))
    for number in range(8):
        session.publish(TOPIC, PAYLOAD, False, number)
    await asyncio.wait_for(done.wait(), 5)
    task.cancel()
    return acked[0]


print(asyncio.run(run(int(sys.argv[1]))))
