"""The GNSS receiver on its UART, rung 3: it is told what to send after each power-on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.unit_process import UnitProcess

QUESTION = b"$PCAS06,0*1B\r\n\xb5\x62\x0a\x04\x00\x00\x0e\x34"
ANSWER = b"$GPTXT,01,01,02,SW=URANUS5,V5.1.0.0*1F\r\n"


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[UnitProcess]:
    """Off, no county in reach: the receiver needs none."""
    unit = UnitProcess(tmp_path / "unit")
    yield unit
    unit.stop()
    assert "Traceback" not in unit.console(), unit.console()


def wait_heard(unit: UnitProcess, what: bytes, timeout: float = 15) -> None:
    deadline = time.monotonic() + timeout
    while what not in unit.gps.heard:
        assert time.monotonic() < deadline, f"never said {what!r}, only {bytes(unit.gps.heard)!r}"
        time.sleep(0.05)


def test_a_casic_receiver_answers_and_is_told_what_to_send(unit: UnitProcess) -> None:
    unit.start()
    unit.charger(False)
    wait_heard(unit, QUESTION)
    unit.feed(ANSWER)
    wait_heard(unit, b"$PCAS03,1,0,1,0,1,0,0,0,0,0,,,0,0*03\r\n")
    assert b"\x06\x8a" not in unit.gps.heard  # and not in u-blox's language


def test_a_silent_receiver_is_asked_at_every_rate(unit: UnitProcess) -> None:
    unit.start()
    unit.charger(False)
    wait_heard(unit, QUESTION * 6)
