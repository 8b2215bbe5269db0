"""The link double: it carries, mutes, freezes, paces, and counts what was acknowledged."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from patrol_contract import messages
from patrol_contract import mqtt_packets as mqtt
from patrol_contract.examples import EXAMPLES
from tests.fakes.link import Link

TOPIC = "patrol/v1/c371500/u-0123/mark"


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        yield listener


def pair(link: Link, server: socket.socket) -> tuple[socket.socket, socket.socket]:
    near = socket.create_connection(("127.0.0.1", link.port), timeout=5)
    far, _ = server.accept()
    far.settimeout(5)
    return near, far


def silent(end: socket.socket) -> bool:
    end.settimeout(0.3)
    try:
        end.recv(100)
    except TimeoutError:
        return True
    return False


def test_mute_is_for_those_open_now(server: socket.socket) -> None:
    with Link(server.getsockname()[1]) as link:
        near, far = pair(link, server)
        near.sendall(b"one")
        assert far.recv(10) == b"one"
        link.mute()
        near.sendall(b"two")
        assert silent(far)
        near, far = pair(link, server)
        far.sendall(b"three")
        assert near.recv(10) == b"three"


def test_frozen_holds_everything_back_and_then_lets_it_through(server: socket.socket) -> None:
    with Link(server.getsockname()[1]) as link:
        near, far = pair(link, server)
        link.frozen = True
        time.sleep(0.1)
        near.sendall(b"late")
        assert silent(far)
        link.frozen = False
        far.settimeout(5)
        assert far.recv(10) == b"late"


def test_a_silent_link_accepts_and_never_answers(server: socket.socket) -> None:
    with Link(server.getsockname()[1]) as link:
        link.silent = True
        near = socket.create_connection(("127.0.0.1", link.port), timeout=5)
        near.sendall(b"hello?")
        assert silent(near)


def test_a_rate_is_kept(server: socket.socket) -> None:
    with Link(server.getsockname()[1], rate=10_000) as link:
        near, far = pair(link, server)
        began = time.monotonic()
        near.sendall(b"x" * 4000)
        got = 0
        while got < 4000:
            got += len(far.recv(4000))
        assert 0.35 < time.monotonic() - began < 2


def test_only_what_was_acknowledged_counts(server: socket.socket) -> None:
    with Link(server.getsockname()[1], tap=True) as link:
        near, far = pair(link, server)
        sent = [mqtt.encode_connect(mqtt.Connect("u", mqtt.V311, True, 9, None, None, None, {}))]
        for seq in (1, 2):
            payload = messages.encode("unit_mark", {**EXAMPLES["unit_mark"][1], "seq": seq})
            sent.append(mqtt.encode_publish(mqtt.V311, TOPIC, payload, 1, seq))
        near.sendall(b"".join(sent))
        passed = 0
        while passed < sum(map(len, sent)):  # before both went by, a PUBACK would be for nothing
            passed += len(far.recv(4000))
        far.sendall(mqtt.encode_connack(mqtt.V311, False, 0) + mqtt.encode_puback(mqtt.V311, 2))
        tap = link.tap
        assert tap is not None
        boot = str(EXAMPLES["unit_mark"][1]["boot"])
        deadline = time.monotonic() + 5
        while ("u-0123", boot) not in tap.consumer.senders and time.monotonic() < deadline:
            time.sleep(0.01)
        assert tap.published == 2
        assert tap.consumer.senders[("u-0123", boot)].pairs == [[2, 2]]
