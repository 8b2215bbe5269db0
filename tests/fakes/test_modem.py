"""The modem double talks as the A7670's manual says, and its moods pass."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.modem import Modem
from tests.fakes.unit_process import UnitProcess


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[UnitProcess]:
    unit = UnitProcess(tmp_path)
    (tmp_path / "levels").write_bytes(b"1" * 40)
    yield unit
    unit.stop()


def ask(line: socket.socket, command: str) -> bytes:
    line.sendall(command.encode() + b"\r")
    heard = b""
    while not heard.endswith((b"OK\r\n", b"115200\r\n", b"CARRIER\r\n", b"> ")):
        heard += line.recv(200)
    return heard


def test_dialogue_sms_and_a_mood_that_passes(unit: UnitProcess, tmp_path: Path) -> None:
    with Modem(unit, {"no_carrier"}) as modem, socket.socket(socket.AF_UNIX) as line:
        line.connect(str(tmp_path / "uart2"))
        line.settimeout(5)
        modem.on = True
        assert b"+CEREG: 0,1\r\n" in ask(line, "AT+CEREG?")
        assert ask(line, "ATD*99#").endswith(b"NO CARRIER\r\n")
        assert ask(line, "ATD*99#").endswith(b"CONNECT 115200\r\n")
        assert (tmp_path / "lte").read_text() == "1\n"
        assert ask(line, 'AT+CMGS="+86138"').endswith(b"> ")
        line.sendall(b"SOS\x1a")
        deadline = time.monotonic() + 5
        while not modem.sms and time.monotonic() < deadline:
            time.sleep(0.01)
        assert modem.sms == [("+86138", "SOS")]
        line.sendall(b"AT+CPOF\r")
        while modem.on and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not modem.on
