"""What an operator types, against a real broker and a device that verifies and answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.county.patrolctl import Asked, arguments, load, run, watch
from edge_agent.county.signer import Signer
from patrol_contract import messages, signing, topics
from patrol_contract.examples import EXAMPLES
from tests.fakes.mosquitto import Mosquitto

C, U = "c371500", "u-0123"
SOS = "9b1d6ae2f00c4417"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path_factory.mktemp("mosquitto")) as there:
        yield there


@pytest.fixture(scope="module")
def county(broker: Mosquitto, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("county")
    assert run(arguments().parse_args(["keygen", str(folder / "keys")]), print) == 0
    path = folder / "county.toml"
    path.write_text(f'broker = "mqtt://127.0.0.1:{broker.port}"\ncounty = "{C}"\nkeys = "keys"\n')
    return path


class Device:
    """A unit that verifies what comes and answers as told (None: says nothing)."""

    def __init__(self, port: int, keys: Path, answer: str | None) -> None:
        self.got: list[tuple[str, dict[str, Any], str | None]] = []
        self._keys = {"county-1": Signer.load(keys).modulus}
        self._windows: dict[str, signing.ReplayWindow] = {}
        self._answer = answer
        self._subscribed = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=U)
        self._client.on_message = self._message
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.connect("127.0.0.1", port)
        self._client.subscribe(f"patrol/v1/{C}/#", 1)
        self._client.loop_start()
        assert self._subscribed.wait(5)

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _message(self, client: mqtt.Client, _user: Any, message: mqtt.MQTTMessage) -> None:
        found = topics.parse(message.topic)
        if found is None or not found[0].endswith(("_cmd", "_duty")) or message.retain:
            return
        fields = messages.decode(found[0], message.payload)
        targets = {U, "g/z-03", "g/all", "cp/k-07"}
        now = int(time.time())
        why = signing.refusal(message.payload, fields, self._keys, targets, self._windows, now)
        self.got.append((found[0], fields, why))
        if self._answer:
            states = ["received"] if self._answer == "received" else ["received", self._answer]
            for seq, state in enumerate(states, 1):
                ack = {**EXAMPLES["unit_ack"][1], "id": fields["id"], "seq": seq, "state": state}
                client.publish(
                    topics.topic("unit_ack", C=C, U=U), messages.encode("unit_ack", ack), 1
                )


@pytest.mark.parametrize(
    ("typed", "name", "wanted"),
    [
        (["ack", U, SOS], "unit_cmd", {"cmd": "sos_ack", "sos": SOS}),
        (["help", U, SOS], "unit_cmd", {"cmd": "help", "sos": SOS}),
        (["close", U, SOS], "unit_cmd", {"cmd": "sos_close", "sos": SOS}),
        (
            ["dispatch", U, "31.2480350", "121.5", "50", "村口"],
            "unit_cmd",
            {"cmd": "dispatch", "lat": 312480350, "lon": 1215000000, "rad": 50, "desc": "村口"},
        ),
        (["rollcall", "g/z-03", "60"], "group_cmd", {"cmd": "rollcall", "within_s": 60}),
        (["siren", "cp/k-07", "on"], "cp_cmd", {"cmd": "siren", "on": True}),
        (["duty", "all", "war", "--hours", "2"], "group_duty", {"level": "war"}),
    ],
)
def test_what_is_typed_arrives_signed(
    county: Path, broker: Mosquitto, typed: list[str], name: str, wanted: dict[str, Any]
) -> None:
    with Device(broker.port, county.parent / "keys", "accepted") as device:
        wait = [] if typed[0] == "duty" else ["--wait", "5"]
        want = arguments().parse_args(["-c", str(county), *typed, *wait])
        assert run(want, print) == 0
        deadline = time.monotonic() + 5
        while not device.got and time.monotonic() < deadline:
            time.sleep(0.01)
    ((got, fields, why),) = device.got
    assert (got, why) == (name, None)
    assert {key: fields[key] for key in wanted} == wanted


@pytest.mark.parametrize(
    ("answer", "says"),
    [(None, "not delivered"), ("received", "received, not answered")],
)
def test_not_delivered_is_told_from_not_answered(
    county: Path, broker: Mosquitto, answer: str | None, says: str
) -> None:
    lines: list[str] = []
    with Device(broker.port, county.parent / "keys", answer):
        want = arguments().parse_args(["-c", str(county), "locate", U, "--wait", "1"])
        assert run(want, lines.append) == 1
    assert says in lines[-1]


def test_watch_prints_lines_and_counts(county: Path, broker: Mosquitto) -> None:
    lines: list[str] = []
    sender = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="sender")
    sender.connect("127.0.0.1", broker.port)
    sender.loop_start()

    def until_seen() -> None:
        topic = topics.topic("unit_sos", C=C, U=U)
        sos = messages.encode("unit_sos", EXAMPLES["unit_sos"][1])
        deadline = time.monotonic() + 5
        wanted = ("★ 求助更新", "不合约定 malformed")
        while not all(any(w in line for line in lines) for w in wanted):
            assert time.monotonic() < deadline
            sender.publish(topic, sos, 1).wait_for_publish(5)
            sender.publish(topic, b"{}", 1).wait_for_publish(5)
            time.sleep(0.05)

    try:
        assert watch(load(county), lines.append, until_seen) == 0
    finally:
        sender.disconnect()
        sender.loop_stop()
    assert "'repeat'" in lines[-1] and "'malformed': 0" not in lines[-1]


RIGHT = 'broker = "mqtt://127.0.0.1:1"\ncounty = "c371500"\nkeys = "{keys}"\n'


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("broker", "brokers", "brokers: Extra inputs"),
        ("{keys}", "nokeys", "patrolctl keygen"),
        ("", "", "is the broker up"),
        ("county =", "county", "not TOML"),
    ],
)
def test_wrong_configurations(county: Path, tmp_path: Path, old: str, new: str, says: str) -> None:
    path = tmp_path / "county.toml"
    path.write_text(RIGHT.replace(old, new, 1).replace("{keys}", str(county.parent / "keys")))
    with pytest.raises(Asked, match=says):
        run(arguments().parse_args(["-c", str(path), "locate", U]), print)


def test_a_place_off_the_globe_is_refused_before_it_is_signed(county: Path) -> None:
    typed = ["-c", str(county), "dispatch", U, "91.0", "0", "50", "x"]
    with pytest.raises(Asked, match=r"unit_cmd\.lat"):
        run(arguments().parse_args(typed), print)
