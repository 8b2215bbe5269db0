"""Records read out of a dead unit reach the county as if it had sent them, once."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from body_unit.store import Store
from edge_agent.county import hand_in
from edge_agent.county.patrolctl import Asked, arguments, run
from flashing import certs, filesystem, readout
from flashing.ledger import Ledger
from patrol_contract import messages, topics
from patrol_contract.consumer import Consumer
from patrol_contract.examples import EXAMPLES
from tests.fakes.mosquitto import Mosquitto, free_port
from tests.firmware.flashing.conftest import Person

C, U, BOOT = "c371500", "u-0123", "00112233445566ff"
DEPLOY = Path(__file__).parents[3] / "edge_agent/deploy/county"


def message(name: str, seq: int, **changed: Any) -> tuple[str, bytes]:
    fields = {**EXAMPLES[name][1], "boot": BOOT, "seq": seq, **changed}
    return topics.topic(name, C=C, U=U), messages.encode(name, fields)


def without(name: str, *keys: str) -> dict[str, Any]:
    return {key: value for key, value in EXAMPLES[name][1].items() if key not in keys}


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """The county's mosquitto as deployed: certificates, access list, MQTT 5."""
    folder = tmp_path_factory.mktemp("county")
    ca = certs.make_ca(folder, C)
    for user, kind in (("county", "county"), ("hand-in", "unit"), ("u-0001", "unit")):
        certs.issue(ca, user, kind, ["127.0.0.1"] if user == "county" else [], folder)
        (folder / f"{user}.toml").write_text(
            f'broker = "mqtts://127.0.0.1:{{port}}"\ncounty = "{C}"\nkeys = "keys"\n'
            f'ca = "ca.cert.pem"\ncert = "{user}.cert.pem"\nkey = "{user}.key.pem"\n'
        )
    (folder / "acl").write_text((DEPLOY / "acl").read_text())
    port = free_port()
    config = (DEPLOY / "mosquitto.conf").read_text()
    for there, here in (
        ("listener 8883", f"listener {port} 127.0.0.1"),
        ("/etc/mosquitto/patrol/", f"{folder}/"),
        ("/etc/mosquitto/acl", f"{folder}/acl"),
        ("/var/lib/mosquitto/", f"{folder}/"),
    ):
        config = config.replace(there, here)
    for toml in folder.glob("*.toml"):
        toml.write_text(toml.read_text().replace("{port}", str(port)))
    with Mosquitto(folder, config, port):
        yield folder, port


@pytest.fixture
def heard(broker: tuple[Path, int]) -> Iterator[list[mqtt.MQTTMessage]]:
    """What the county's own program hears."""
    folder, port = broker
    got: list[mqtt.MQTTMessage] = []
    ready: list[bool] = []
    link = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="county")
    link.tls_set(*(str(folder / f"{n}.pem") for n in ("ca.cert", "county.cert", "county.key")))
    link.on_message = lambda _c, _u, message: got.append(message)
    link.on_subscribe = lambda *_: ready.append(True)
    link.connect("127.0.0.1", port)
    link.subscribe([(f"owntracks/{C}/#", 1), (f"patrol/v1/{C}/#", 1)])
    link.loop_start()
    until(lambda: bool(ready))
    yield got
    link.disconnect()
    link.loop_stop()


def until(condition: Any, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not within the time"
        time.sleep(0.01)


def read_out(folder: Path, written: list[tuple[int, tuple[str, bytes]]]) -> Path:
    """Let a unit's own store keep the messages, and flash.sh take them off its flash."""
    (folder / "unit").mkdir(parents=True)
    store = Store(str(folder / "unit"), BOOT, lambda *loss: None, slack=1)
    for seq, (klass, (topic, payload)) in enumerate(written, 1):
        store.append(klass, seq, topic, payload)
    store.commit()
    files = {f"/queue/{p.name}": p.read_bytes() for p in (folder / "unit").iterdir()}
    image = filesystem.build(files, 1 << 20)
    found = filesystem.read(image)
    found["/kept.bin"] = b"\xff" * 0x7000
    saved = readout.ReadOut(folder / "saved", Ledger(folder / "home"))
    return saved.save(found, "24:0a", Person(), "port") / "unsent.jsonl"


def patrolctl(folder: Path, user: str, *typed: str) -> tuple[int, str]:
    said: list[str] = []
    want = arguments().parse_args(["-c", str(folder / f"{user}.toml"), "hand-in", *typed])
    return run(want, said.append), "\n".join(said)


def test_a_dead_units_records_reach_the_county_unchanged_and_once(
    broker: tuple[Path, int], heard: list[mqtt.MQTTMessage], tmp_path: Path
) -> None:
    track, mark = message("unit_location", 1), message("unit_mark", 2)
    sos = message("unit_sos", 3, tst=1795280411)
    path = read_out(tmp_path, [(2, track), (1, mark), (0, sos)])
    code, said = patrolctl(broker[0], "hand-in", str(path))
    assert (code, said) == (0, "已上交 3 / 3 条 records handed in")
    until(lambda: len(heard) == 3)
    assert [(m.topic, m.payload) for m in heard] == [sos, mark, track]  # SOS first
    assert patrolctl(broker[0], "hand-in", str(path))[0] == 0
    until(lambda: len(heard) == 6)
    county = Consumer()
    for got in heard:
        county.feed(got.topic, got.payload)
    assert (county.counts["new"], county.counts["repeat"]) == (3, 3)


def test_a_record_without_a_time_is_no_news(
    broker: tuple[Path, int], heard: list[mqtt.MQTTMessage], tmp_path: Path
) -> None:
    fields = {**without("unit_sos", "tst", "fix"), "boot": BOOT, "seq": 1, "uptime_ms": 5}
    sos = topics.topic("unit_sos", C=C, U=U), messages.encode("unit_sos", fields)
    path = read_out(tmp_path, [(0, sos)])
    code, said = patrolctl(broker[0], "hand-in", str(path))
    assert code == 1
    assert "1 条没有自己的时间" in said
    assert "0 / 0" in said
    assert patrolctl(broker[0], "hand-in", "--undated", str(path))[0] == 0
    until(lambda: len(heard) == 1)


def test_an_identity_without_the_right_is_told(broker: tuple[Path, int], tmp_path: Path) -> None:
    path = read_out(tmp_path, [(1, message("unit_mark", 1))])
    code, said = patrolctl(broker[0], "u-0001", str(path))
    assert code == 1
    assert "0x87" in said
    with pytest.raises(Asked, match="cannot be read"):
        patrolctl(broker[0], "hand-in", str(tmp_path / "none.jsonl"))


def test_only_this_countys_units_speak_through_a_file(tmp_path: Path) -> None:
    topic, payload = message("unit_mark", 7)
    good = {"topic": topic, "payload": payload.decode(), "boot": BOOT, "seq": 7}
    command = {**good, "topic": topics.topic("unit_cmd", C=C, U=U)}
    lines = [
        good,
        command,
        {**good, "topic": topic.replace(C, "c371600")},
        {**good, "seq": 8},
        {**good, "payload": "{}"},
        {"topic": topic},
        [],
    ]
    path = tmp_path / "unsent.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + "no json\n")
    found = hand_in.read(path, C)
    assert [record.payload for record in found.records] == [payload]
    assert [fault.split(": ")[0] for fault in found.faults] == [
        f"{path}:{number}" for number in range(2, 9)
    ]


def test_a_line_that_breaks_ends_it_with_what_was_taken() -> None:
    said: list[str] = []

    class Link:
        """Takes one record, then loses its line."""

        on_publish: Any = None
        sent = 0

        def publish(self, topic: str, payload: bytes, qos: int) -> Any:
            self.sent += 1
            return SimpleNamespace(mid=self.sent, wait_for_publish=self._wait)

        def _wait(self, seconds: float) -> None:
            if self.sent > 1:
                raise RuntimeError("Message publish failed: The client is not currently connected.")
            self.on_publish(self, None, 1, SimpleNamespace(value=0), None)

    records = [hand_in.Record("t", b"{}", True)] * 3
    assert hand_in.publish(Link(), records, said.append) == 1  # type: ignore[arg-type]
    assert said == ["已交 1 条，线路断了 1 handed in, then no answer: do it again"]
