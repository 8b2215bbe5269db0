"""The double is checked with pymodbus's stock synchronous client, not with the agent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymodbus.client import ModbusSerialClient
from pymodbus.exceptions import ModbusIOException
from pymodbus.framer.rtu import FramerRTU

from tests.fakes.modbus_slave import FAULTS, ModbusLine

SLAVES = {3: {"input": {0: 231, 1: 40}, "holding": {7: 9}, "coil": {2: True}}, 4: {"input": {0: 5}}}


@pytest.fixture
def line(tmp_path: Path) -> Iterator[ModbusLine]:
    with ModbusLine(tmp_path / "tty", SLAVES, late_s=0.3) as started:
        yield started


def client(line: ModbusLine) -> ModbusSerialClient:
    made = ModbusSerialClient(str(line.link), timeout=0.2, retries=0)
    assert made.connect()
    return made


def test_answers_what_it_was_given(line: ModbusLine) -> None:
    with client(line) as c:
        assert c.read_input_registers(0, count=2, device_id=3).registers == [231, 40]
        assert c.read_holding_registers(7, count=1, device_id=3).registers == [9]
        assert c.read_coils(2, count=1, device_id=3).bits[0] is True
        assert c.read_input_registers(50, count=1, device_id=3).exception_code == 2


def test_set_and_get(line: ModbusLine) -> None:
    with client(line) as c:
        line.set(3, "input", 0, [250])
        assert c.read_input_registers(0, count=1, device_id=3).registers == [250]
        c.write_coil(2, False, device_id=3)
        assert line.get(3, "coil", 2) is False
        assert [frame[1] for frame in line.written] == [5]


def test_an_absent_slave_is_silent_and_the_next_one_answers(line: ModbusLine) -> None:
    with client(line) as c:
        with pytest.raises(ModbusIOException):
            c.read_input_registers(0, count=1, device_id=9)
        assert c.read_input_registers(0, count=1, device_id=4).registers == [5]
    assert line.asked == {9: 1, 4: 1}


def raw_answer(line: ModbusLine, wait_s: float = 0.15) -> bytes:
    request = bytes([3, 4, 0, 0, 0, 2])
    port = os.open(line.link, os.O_RDWR | os.O_NONBLOCK)
    try:
        os.write(port, request + FramerRTU.compute_CRC(request).to_bytes(2, "big"))
        time.sleep(wait_s)  # the whole window in which an answer counts
        try:
            return os.read(port, 100)
        except BlockingIOError:
            return b""
    finally:
        os.close(port)


def test_every_fault_spoils_the_answer_and_heals(line: ModbusLine) -> None:
    right = raw_answer(line)
    assert right[:3] == b"\x03\x04\x04"
    for fault in FAULTS:
        line.fault(3, fault)
        assert raw_answer(line) != right, fault
    line.fault(3, None)
    time.sleep(0.3)  # the late answer of above goes by
    assert raw_answer(line) == right


def test_late_is_the_right_answer_too_late(line: ModbusLine) -> None:
    line.fault(3, "late")
    assert raw_answer(line, 0.2) == b""
    line.fault(3, None)
    assert len(raw_answer(line, 0.5)) == 18  # the new answer and the late one


def test_unplugged_and_back_under_another_number(line: ModbusLine) -> None:
    before = line.link.readlink()
    line.unplug()
    assert not line.link.exists()
    line.plug()
    assert line.link.readlink() != before
    with client(line) as c:
        assert c.read_input_registers(0, count=1, device_id=4).registers == [5]


def test_a_frame_takes_its_time_on_the_wire(tmp_path: Path) -> None:
    line = ModbusLine(tmp_path / "tty", SLAVES, baud=9600, turnaround_s=0.02)
    with line, client(line) as c:
        began = time.monotonic()
        for _ in range(10):
            c.read_input_registers(0, count=1, device_id=3)
        each = (time.monotonic() - began) / 10
    wire = (8 + 7) * 10 / 9600 + 0.02
    assert wire <= each < wire * 1.5


def test_as_a_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.fakes.modbus_slave", str(tmp_path / "tty")]
    peer = subprocess.Popen(
        [*command, '{"3": {"input": {"0": 231}}}'],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert peer.stdin and peer.stdout
    assert json.loads(peer.stdout.readline()) == {"ready": str(tmp_path / "tty")}
    peer.stdin.write('{"do": "set", "args": [3, "input", 0, [7]]}\n')
    peer.stdin.flush()
    peer.stdout.readline()
    with ModbusSerialClient(str(tmp_path / "tty"), timeout=1, retries=0) as c:
        assert c.read_input_registers(0, count=1, device_id=3).registers == [7]
    peer.stdin.close()
    assert peer.wait(10) == 0
