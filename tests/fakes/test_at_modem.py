"""The A7670 double by itself: it answers as the manual says and misbehaves once per fault."""

from __future__ import annotations

from tests.fakes.at_modem import BOOT_MS, AtModem, Fault

LATER = BOOT_MS + 1000


def ask(modem: AtModem, command: bytes, now_ms: int = LATER, wait_ms: int = 5000) -> bytes:
    modem.read(now_ms)
    modem.write(command, now_ms)
    return modem.read(now_ms + wait_ms)


def started(**faults: list[Fault]) -> AtModem:
    modem = AtModem({key.replace("_", "+"): value for key, value in faults.items()})
    modem.power_key(0)
    return modem


def test_off_it_says_nothing_and_booting_neither() -> None:
    modem = AtModem()
    modem.write(b"AT\r", 0)
    assert modem.read(60_000) == b""
    modem.power_key(0)
    modem.write(b"AT\r", 100)
    assert modem.read(BOOT_MS - 1) == b""
    assert b"*ATREADY" in modem.read(BOOT_MS)


def test_it_echoes_until_it_is_told_not_to() -> None:
    modem = started()
    assert ask(modem, b"AT\r") == b"AT\r\r\nOK\r\n"
    ask(modem, b"ATE0\r")
    assert ask(modem, b"AT\r", LATER + 10_000) == b"\r\nOK\r\n"


def test_an_sms_has_its_prompt_and_its_number() -> None:
    modem = started()
    ask(modem, b"ATE0\r")
    assert ask(modem, b'AT+CMGS="110"\r', LATER + 6000) == b"\r\n> "
    assert b"+CMGS: 7" in ask(modem, b"SOS\x1a", LATER + 12_000)
    assert modem.texts == [("110", "SOS")]


def test_in_data_mode_only_the_escape_is_heard() -> None:
    modem = started()
    assert b"CONNECT" in ask(modem, b"ATD*99#\r")
    assert ask(modem, b"AT\r", LATER + 6000) == b""
    ask(modem, b"+++", LATER + 12_000)
    assert b"OK" in ask(modem, b"AT\r", LATER + 20_000)


def test_each_fault_is_used_once() -> None:
    modem = started(AT_CPIN=[])
    modem.faults = {"AT+CPIN?": [Fault.SILENT, Fault.URC_INSIDE]}
    ask(modem, b"ATE0\r")
    assert ask(modem, b"AT+CPIN?\r", LATER + 6000) == b""
    rung = ask(modem, b"AT+CPIN?\r", LATER + 12_000)
    assert rung.index(b"+CPIN: READY") < rung.index(b"RING") < rung.index(b"OK")
    assert b"RING" not in ask(modem, b"AT+CPIN?\r", LATER + 18_000)


def test_hung_only_the_reset_pin_helps() -> None:
    modem = started()
    modem.faults = {"AT": [Fault.HANGS]}
    assert b"OK" not in ask(modem, b"AT\r")
    assert ask(modem, b"ATE0\r", LATER + 6000) == b""
    modem.reset(LATER + 12_000)
    assert b"*ATREADY" in modem.read(LATER + 12_000 + BOOT_MS)
