"""unit.json and pins.csv: what a unit reads before anything else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from drivers import config, pins

ROOT = Path(__file__).resolve().parents[3]
GOOD = {
    "unit": "u-0001",
    "county": "c371500",
    "tid": "01",
    "board": "virtual",
    "fleet": 1535,
    "sms_to": "",
    "keys": {"k": "ff" * 384},
    "brokers": {"county": {"host": "h", "port": 8883, "tls": True, "name": "h", "then": ""}},
    "wifi": [{"ssid": "s", "psk": "p", "broker": "county"}],
    "lte": None,
}


def load(folder: Path, value: object) -> dict[str, object]:
    (folder / "unit.json").write_text(value if isinstance(value, str) else json.dumps(value))
    return config.load(str(folder / "unit.json"))


def test_keys_come_as_bytes(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD)["keys"] == {"k": b"\xff" * 384}


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("{", "not JSON"),
        ({**GOOD, "unit": 5}, "unit is missing"),
        ({k: v for k, v in GOOD.items() if k != "wifi"}, "wifi is missing"),
        ({**GOOD, "wifi": [{"ssid": "s", "psk": "", "broker": "none"}]}, "broker none"),
        ({**GOOD, "lte": {"apn": "cmnet", "broker": "none"}}, "broker none"),
    ],
)
def test_faults_are_one_sentence(tmp_path: Path, value: object, why: str) -> None:
    with pytest.raises(config.ConfigError, match=why):
        load(tmp_path, value)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(config.ConfigError, match="flash this unit again"):
        config.load(str(tmp_path / "none.json"))


@pytest.mark.parametrize("board", ["virtual", "devkit", "lte"])
def test_every_board_has_what_the_unit_cannot_do_without(board: str) -> None:
    rows = pins.read(str(ROOT / "hardware/boards" / board / "pins.csv"))
    assert rows["button"].active in ("low", "high")
    assert pins.uart_of(rows["gps_rx"]) == pins.uart_of(rows["gps_tx"])


def test_the_networks_that_the_county_sent_win_while_they_lead_somewhere() -> None:
    settings = {
        "brokers": {"county": {}, "k-07": {}},
        "wifi": [{"ssid": "S", "psk": "p", "broker": "k-07"}],
        "lte": None,
    }
    flashed = [("S", "p", "k-07")]
    assert config.networks(settings, b"") == flashed
    assert config.networks(settings, b'[["half') == flashed
    sent = (("A", "x", "county"), ("B", "", "k-07"))
    kept = config.kept_networks(sent)
    assert config.networks(settings, kept) == list(sent)
    del settings["brokers"]["k-07"]  # flashed anew since
    assert config.networks(settings, kept) == [("A", "x", "county")]


def test_the_usual_broker_comes_first() -> None:
    brokers: dict[str, object] = {"a": {}, "county": {}, "k-07": {}}
    wifi = [{"ssid": "S", "psk": "p", "broker": "k-07"}]
    lte = {"apn": "cmnet", "broker": "county"}
    assert config.brokers({"brokers": brokers, "wifi": wifi, "lte": lte})[0] == "county"
    assert config.brokers({"brokers": brokers, "wifi": wifi, "lte": None})[0] == "k-07"
    assert config.brokers({"brokers": brokers, "wifi": [], "lte": None})[0] == "a"
