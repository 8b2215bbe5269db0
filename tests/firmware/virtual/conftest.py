"""The whole unit runs as its source stands, and as on a unit's flash: linked and compiled."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.rom import Rom
from tests.fakes.unit_process import UnitProcess

# These start main.py itself; the others run something of theirs around it.
BOTH = ("test_kept", "test_line", "test_receiver", "test_sos", "test_unit")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.module.__name__.rpartition(".")[2] in BOTH:
        metafunc.parametrize("program", ["source", "flashed"], indirect=True, scope="session")


@pytest.fixture(scope="session")
def flashed(tmp_path_factory: pytest.TempPathFactory) -> Rom:
    return Rom(tmp_path_factory.mktemp("rom"))


@pytest.fixture(scope="session", autouse=True)
def program(request: pytest.FixtureRequest) -> Iterator[str]:
    kind: str = getattr(request, "param", "source")
    if kind == "flashed":
        UnitProcess.flashed = request.getfixturevalue("flashed")
    yield kind
    UnitProcess.flashed = None
