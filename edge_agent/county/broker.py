"""The way of the county's own programs to their broker: county.toml, TLS, one connection."""

from __future__ import annotations

import threading
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from pydantic import BaseModel, ConfigDict, ValidationError

DELIVER_S = 10.0


class Asked(Exception):
    """The operator asked for something that cannot be: one sentence."""


class CountyConfig(BaseModel):
    """county.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    broker: str
    county: str
    keys: Path
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None


def load(path: Path) -> CountyConfig:
    """county.toml with its paths taken from its own folder."""
    try:
        raw = tomllib.loads(path.read_text())
        config = CountyConfig.model_validate(raw)
    except FileNotFoundError:
        raise Asked(f"{path}: no such file: write it as `patrolctl --help` shows") from None
    except tomllib.TOMLDecodeError as error:
        raise Asked(f"{path}: not TOML: {error}") from None
    except ValidationError as error:
        faults = [".".join(map(str, e["loc"])) + f": {e['msg']}" for e in error.errors()]
        raise Asked(f"{path}: {'; '.join(faults)}") from None
    files = {
        name: path.parent / value
        for name in ("keys", "ca", "cert", "key")
        if (value := getattr(config, name)) is not None
    }
    return config.model_copy(update=files)


def client(
    config: CountyConfig, name: str, protocol: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv311
) -> mqtt.Client:
    """An MQTT client for this county's broker, TLS where the address says mqtts."""
    made = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=protocol)
    if urlsplit(config.broker).scheme == "mqtts":
        made.tls_set(
            str(config.ca) if config.ca else None,
            str(config.cert) if config.cert else None,
            str(config.key) if config.key else None,
        )
    return made


def connect(config: CountyConfig, to: mqtt.Client) -> None:
    """Start the client's loop; returns once the broker has accepted it. Raises Asked."""
    url = urlsplit(config.broker)
    ready = threading.Event()
    refused: list[str] = []

    def on_connect(_c: Any, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
        if reason.is_failure:
            refused.append(str(reason))
        ready.set()

    to.on_connect = on_connect
    try:
        to.connect(url.hostname or "", url.port or (8883 if url.scheme == "mqtts" else 1883), 20)
    except OSError as error:
        raise Asked(f"{config.broker}: {error}: is the broker up and the address right?") from None
    to.loop_start()
    if not ready.wait(DELIVER_S):
        raise Asked(f"{config.broker}: no answer in {DELIVER_S:.0f} s: is it an MQTT broker?")
    if refused:
        raise Asked(f"{config.broker}: refused: {refused[0]}")
