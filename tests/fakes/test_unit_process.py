"""The parts of UnitProcess that need no unit: signals out of pulses, a UART at its pace."""

from __future__ import annotations

import socket
import time
from pathlib import Path

from tests.fakes.unit_process import Uart, UnitProcess, signals


def test_pulses_become_signals_and_the_holds_ticks_are_left_out() -> None:
    ticks = [(0, 25), (300, 40), (600, 60), (900, 85)]
    raised = [(1500, 500)]
    held = [(2700, 500), (3450, 500)]
    assert signals(ticks + raised + held) == [raised, held]


def test_a_uart_carries_960_bytes_a_second(tmp_path: Path) -> None:
    uart = Uart(tmp_path / "uart1")
    with socket.socket(socket.AF_UNIX) as unit:
        unit.connect(str(tmp_path / "uart1"))
        unit.settimeout(5)
        unit.sendall(b"$PCAS")
        began = time.monotonic()
        uart.write(b"x" * 480)
        got = 0
        while got < 480:
            got += len(unit.recv(480))
        assert 0.45 < time.monotonic() - began < 1.5
    deadline = time.monotonic() + 5
    while bytes(uart.heard) != b"$PCAS" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert bytes(uart.heard) == b"$PCAS"
    uart.close()


def test_networks_come_and_go(tmp_path: Path) -> None:
    unit = UnitProcess(tmp_path)
    unit.in_range("A", "secret", -50)
    unit.in_range("B")
    unit.in_range("A", "other", -60)
    assert (tmp_path / "wifi").read_text() == "B\t\t-60\nA\tother\t-60\n"
    unit.out_of_range("B")
    assert (tmp_path / "wifi").read_text() == "A\tother\t-60\n"
    unit.stop()
