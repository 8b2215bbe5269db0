"""A county for tests: broker with TLS and client certificates, a consumer, a signing key.

with County(folder, units=["u-0001"]) as county:
    county.equip(unit)                    # broker, certificate, command key into a UnitProcess
    county.wait(lambda c: c.of("unit_sos"), timeout=10)
    county.command("u-0001", "sos_ack", sos=sos_id)
    county.lost(unit)                     # assigned by the unit's ledger, never received
    county.broker.stop(kill=True); county.broker_back()
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from cryptography.hazmat.primitives.asymmetric import rsa
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.county.signer import Signer
from flashing import certs
from patrol_contract import topics
from patrol_contract.consumer import NEW, Consumer
from tests.fakes.mosquitto import UNLIMITED, Mosquitto, free_port
from tests.fakes.unit_process import UnitProcess

ID = "c371500"
_KEY = rsa.generate_private_key(public_exponent=65537, key_size=3072)


class County:
    """`received`: (ms, name, who, fields) of every new record, in the order received."""

    def __init__(self, folder: Path, tls: bool = True) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.tls = tls
        self.consumer = Consumer()
        self.received: list[tuple[int, str, dict[str, str], dict[str, Any]]] = []
        self.signer = Signer(_KEY, "test-1", folder / "numbers.json")
        self._lock = threading.Condition()
        port = free_port()
        self._inside = free_port()  # the county's own programs, without TLS
        config = f"per_listener_settings true\nlistener {self._inside} 127.0.0.1\n"
        config += f"allow_anonymous true\nlistener {port} 127.0.0.1\n"
        if tls:
            self.ca = certs.make_ca(folder / "ca")
            certs.issue(self.ca, "broker", "county", ["localhost"], into=folder)
            config += (
                f"cafile {folder}/ca/ca.cert.pem\ncertfile {folder}/broker.cert.pem\n"
                f"keyfile {folder}/broker.key.pem\nrequire_certificate true\n"
                "use_identity_as_username true\n"
            )
        else:
            config += "allow_anonymous true\n"
        self.broker = Mosquitto(folder / "broker", config + UNLIMITED, port)
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id="county", clean_session=False
        )
        self._client.on_connect = lambda client, *_: client.subscribe([("#", 1)])
        self._client.on_message = self._on_message
        self._client.on_subscribe = lambda *_: self._listening.set()
        self._listening = threading.Event()
        self._client.reconnect_delay_set(1, 1)

    def __enter__(self) -> County:
        self.broker.start()
        self._client.connect("127.0.0.1", self._inside)
        self._client.loop_start()
        self._listen()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self.broker.stop()

    def broker_back(self) -> None:
        """Start a broker that was stopped, and wait until the county listens to it again.

        A killed broker has forgotten who listens, and what a unit says before the county is back
        it acknowledges and throws away: that says nothing about the unit.
        """
        self._listening.clear()
        self.broker.start()
        self._listen()

    def _listen(self) -> None:
        if not self._listening.wait(30):
            raise TimeoutError("the county was not at its broker in 30 s")

    def equip(self, unit: UnitProcess, port: int | None = None) -> None:
        """What flashing would give it; `port`: a link in between."""
        unit.county_key("test-1", self.signer.modulus)
        unit.broker("county", "127.0.0.1", port or self.broker.port, self.tls, "localhost")
        unit.wifi_known("COUNTY", "password", "county")
        if self.tls:
            own = certs.issue(self.ca, unit.unit, "unit")
            unit.identity(self.ca.cert_der, own.cert_der, own.key_der)

    def command(self, to: str, cmd: str, **own: Any) -> str:
        """Sign and publish a command; its id."""
        with self._lock:  # a signer has one writer
            name, payload = self.signer.command(to, cmd, **own)
        self._client.publish(topics.topic(name, C=ID, U=to), payload, 1)
        return str(json.loads(payload)["id"])

    def publish(self, topic: str, payload: bytes) -> None:
        self._client.publish(topic, payload, 1)

    def of(self, name: str) -> list[dict[str, Any]]:
        """The fields of every record of that name, in the order received."""
        with self._lock:
            return [fields for _, of, _, fields in self.received if of == name]

    def wait(self, condition: Callable[[County], Any], timeout: float) -> Any:
        """Until the condition holds; its value. TimeoutError says what came instead."""
        deadline = time.monotonic() + timeout
        while not (value := condition(self)):
            left = deadline - time.monotonic()
            if left <= 0:
                names = [(name, fields["seq"]) for _, name, _, fields in self.received]
                raise TimeoutError(f"the county waited {timeout} s in vain; it has {names[-20:]}")
            with self._lock:
                self._lock.wait(min(left, 0.05))
        return value

    def lost(self, unit: UnitProcess) -> list[tuple[str, int, str]]:
        """What the unit's ledger says it accepted and the county neither got nor was told of."""
        missing = []
        for boot, seq, name in unit.ledger():
            got = self.consumer.senders.get((unit.unit, boot))
            told = self.consumer.declared.get((unit.unit, boot))
            if not (got and seq in got) and not (told and seq in told):
                missing.append((boot, seq, name))
        return missing

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        ms = time.monotonic_ns() // 1_000_000
        with self._lock:
            verdict, name, who, fields = self.consumer.feed(message.topic, message.payload)
            if verdict == NEW:
                self.received.append((ms, name or "", who or {}, fields or {}))
            self._lock.notify_all()
