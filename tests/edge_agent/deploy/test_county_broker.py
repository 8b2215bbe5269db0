"""deploy/county as it is, on Debian's mosquitto: every identity tries every topic of the contract,
its own and others', to publish and to hear. What must work is derived from the contract's rows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from flashing import certs
from patrol_contract import topics
from patrol_contract.catalogue import MESSAGES
from tests.fakes.mosquitto import Mosquitto, free_port

DEPLOY = Path(__file__).parents[3] / "edge_agent/deploy/county"
C, OTHER_C = "c371500", "c371600"
UNIT, OTHER_UNIT, CHECKPOINT, OTHER_CHECKPOINT = "u-0001", "u-0002", "k-07", "k-08"
WHO = {"u-0001": "unit", "k-07": "checkpoint", "county": "county", "hand-in": "unit"}
NOT_AUTHORISED = 0x87


def every_topic() -> list[tuple[str, str, str, dict[str, str]]]:
    """(topic, message, sender, who) for own and others' ids."""
    found: list[tuple[str, str, str, dict[str, str]]] = []
    for name, row in MESSAGES.items():
        for county in (C, OTHER_C):
            for unit in (UNIT, OTHER_UNIT):
                for checkpoint in (CHECKPOINT, OTHER_CHECKPOINT):
                    who = {"C": county, "U": unit, "K": checkpoint, "G": "z-03", "S": "s", "B": "1"}
                    text = topics.topic(name, **who)
                    if text not in [known[0] for known in found]:
                        found.append((text, name, row.sender, who))
    return found


def may_publish(user: str, name: str, sender: str, who: dict[str, str]) -> bool:
    """From the contract: your own, in your county; a checkpoint also carries units' messages."""
    if who["C"] != C:
        return False
    if WHO[user] == "county":
        return sender == "county"
    if user == "hand-in":
        return sender == "unit"
    if WHO[user] == "unit":
        return sender == "unit" and who["U"] == user
    return sender == "unit" or (
        sender == "checkpoint" and ("/cp/" not in MESSAGES[name].topic or who["K"] == user)
    )


def may_hear(user: str, name: str, sender: str, who: dict[str, str]) -> bool:
    """What is for you: a unit its commands and the groups'; a checkpoint also any unit's."""
    if who["C"] != C:
        return False
    if WHO[user] == "county":
        return True
    group = name in ("group_cmd", "group_duty")
    if WHO[user] == "unit":
        return group or (name in ("unit_cmd", "unit_seen") and who["U"] == user)
    ours = name in ("unit_cmd", "points_waypoint")
    return group or ours or (name == "cp_cmd" and who["K"] == user)


class Client:
    """One identity over TLS, MQTT 5, so that refusals are told."""

    def __init__(self, folder: Path, port: int, user: str) -> None:
        self.heard: set[str] = set()
        self.answers: dict[int, int] = {}
        self._event = threading.Event()
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=user, protocol=paho.MQTTv5
        )
        self._client.tls_set(
            str(folder / "ca.cert.pem"),
            str(folder / f"{user}.cert.pem"),
            str(folder / f"{user}.key.pem"),
        )
        self._client.on_publish = self._published
        self._client.on_message = lambda _c, _u, message: self.heard.add(message.topic)
        self._client.on_subscribe = lambda *_: self._event.set()
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _published(self, _c: Any, _u: Any, mid: int, reason: Any, _p: Any) -> None:
        self.answers[mid] = reason.value

    def publish(self, topic: str) -> int:
        """The broker's reason for a PUBLISH of QoS 1."""
        mid = self._client.publish(topic, b"x", 1).mid
        wait(lambda: mid in self.answers)
        return self.answers[mid]

    def subscribe(self, pattern: str) -> None:
        self._client.subscribe(pattern, 1)
        assert self._event.wait(5)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def wait(condition: Any, seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not within the time"
        time.sleep(0.005)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    folder = tmp_path_factory.mktemp("county")
    ca = certs.make_ca(folder, C)
    for user, kind in WHO.items():
        certs.issue(ca, user, kind, ["127.0.0.1"] if user == "county" else [], folder)
    (folder / "acl").write_text((DEPLOY / "acl").read_text())
    port = free_port()
    config = (DEPLOY / "mosquitto.conf").read_text()
    for there, here in (
        ("listener 8883", f"listener {port} 127.0.0.1"),
        ("/etc/mosquitto/patrol/", f"{folder}/"),
        ("/etc/mosquitto/acl", f"{folder}/acl"),
        ("/var/lib/mosquitto/", f"{folder}/"),
    ):
        assert there in config
        config = config.replace(there, here)
    with Mosquitto(folder, config, port):
        yield folder, port


@pytest.mark.parametrize("user", WHO)
def test_every_publish(broker: tuple[Path, int], user: str) -> None:
    client = Client(*broker, user)
    for topic, name, sender, who in every_topic():
        allowed = client.publish(topic) != NOT_AUTHORISED
        assert allowed == may_publish(user, name, sender, who), f"{user} -> {topic}"
    assert client.publish("$SYS/x") == NOT_AUTHORISED
    assert client.publish("anything/else") == NOT_AUTHORISED
    client.close()


@pytest.mark.parametrize("user", WHO)
def test_every_subscription(broker: tuple[Path, int], user: str) -> None:
    """mosquitto's ACL file refuses no SUBSCRIBE; it must deliver nothing that is not meant."""
    listener = Client(*broker, user)
    listener.subscribe("#")
    speakers = {name: Client(*broker, name) for name in WHO if name != user}
    expected: set[str] = set()
    for topic, name, sender, who in every_topic():
        for speaker, client in speakers.items():
            if may_publish(speaker, name, sender, who):
                client.publish(topic)
                if may_hear(user, name, sender, who):
                    expected.add(topic)
    wait(lambda: listener.heard >= expected)
    time.sleep(0.2)  # what must not come would have come with the rest
    assert listener.heard == expected
    for client in (listener, *speakers.values()):
        client.close()


def test_without_a_certificate_there_is_no_connection(broker: tuple[Path, int]) -> None:
    folder, port = broker
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.tls_set(str(folder / "ca.cert.pem"))
    answered: list[Any] = []
    client.on_connect = lambda *_: answered.append(_)
    client.on_disconnect = lambda *_: answered.append(None)
    with pytest.raises(OSError):  # refused in the handshake, or right after it
        client.connect("127.0.0.1", port)
        deadline = time.monotonic() + 5
        while not answered and time.monotonic() < deadline:
            client.loop(0.1)
        assert answered in ([], [None])
        raise ConnectionError("closed before CONNACK")
