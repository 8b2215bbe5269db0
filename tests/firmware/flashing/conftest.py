"""A kit, a batch of identities and a person at the bench, shared by the tests of a whole flash."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from flashing import identities, kit
from flashing.job import Workshop
from flashing.ledger import Ledger
from flashing.readout import ReadOut
from tests.fakes import flash_bench


class Person:
    """Answers yes, presses the button, and remembers what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.answers: dict[str, bool | None] = {}
        self.on_say: Callable[[str, str], None] = lambda port, text: None
        self._lock = threading.Lock()
        self._parts: dict[tuple[str, str], float] = {}

    def say(self, port: str, text: str) -> None:
        with self._lock:
            self.said.append(f"{port}: {text}")
        self.on_say(port, text)

    def progress(self, port: str, stage: str, part: float) -> None:
        before, self._parts[port, stage] = self._parts.get((port, stage), 0.0), part
        assert before <= part <= 1.0

    def ask(self, port: str, question: str, seconds: float) -> bool | None:
        self.say(port, question)
        return next((yes for word, yes in self.answers.items() if word in question), True)

    def ended(self, port: str, unit: str, fault: str) -> None:
        self.said.append(f"{unit}: {fault or 'PASS'}")


@pytest.fixture(scope="session")
def kit_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kit") / "kit"


@pytest.fixture(scope="session")
def made_kit(kit_folder: Path) -> kit.Kit:
    return flash_bench.build_kit(kit_folder, 96 * 1024)


@pytest.fixture(scope="session")
def batch(tmp_path_factory: pytest.TempPathFactory) -> identities.Batch:
    return flash_bench.make_batch(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def shop(tmp_path: Path, made_kit: kit.Kit, batch: identities.Batch) -> Workshop:
    ledger = Ledger(tmp_path / "ledger")
    return Workshop(made_kit, batch, ledger, Person(), ReadOut(tmp_path / "saved", ledger))
