"""Each probe against a real peer; what it prints to paste must load as configuration."""

from __future__ import annotations

import argparse
import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge_agent import config, probe
from edge_agent.buses import port
from edge_agent.probes import gpio as gpio_probe
from edge_agent.probes import modbus as modbus_probe
from tests.edge_agent.sensors.rig import loaded
from tests.edge_agent.sensors.test_nmea import rmc
from tests.fakes.gpio_chip import FakeChip
from tests.fakes.modbus_slave import ModbusLine
from tests.fakes.serial_peer import SerialPeer


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    probe.add_commands(parser.add_subparsers())
    args = parser.parse_args(["probe", *words])
    return args.func(args)


def pasted(told: str, tmp_path: Path) -> config.Config:
    return loaded(tmp_path, told.split("----\n", 1)[1])


@contextmanager
def talking(peer: SerialPeer, line: bytes) -> Iterator[None]:
    """A device that prints its line ten times a second."""
    stop = threading.Event()

    def talk() -> None:
        while not stop.wait(0.1):
            peer.send(line)

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


Told = pytest.CaptureFixture[str]


def test_modbus_finds_slaves_and_shows_changes(tmp_path: Path, capsys: Told) -> None:
    slaves = {3: {"input": {1: 215, 2: 480}}, 9: {"discrete": {0: True, 7: False}}}
    with ModbusLine(tmp_path / "tty", slaves) as line:
        words = ["--slaves", "1-10", "--seconds", "0", "--timeout", "0.05"]
        assert run("modbus", str(line.link), *words) == 0
    told = capsys.readouterr().out
    assert "[3]" in told and "[9]" in told and "215 480" in told
    made = pasted(told, tmp_path)
    assert [(s.id, s.slave) for s in made.sensor] == [("slave-3", 3), ("slave-9", 9)]
    assert "xy-md02" in told and "inputs-8" in told


def test_modbus_nobody_there(tmp_path: Path, capsys: Told) -> None:
    with ModbusLine(tmp_path / "tty", {3: {"input": {0: 1}}}) as line:
        line.fault(3, "silent")
        words = ["--slaves", "3", "--baud", "9600", "--timeout", "0.05"]
        assert run("modbus", str(line.link), *words) == 1
    assert "check wires" in capsys.readouterr().out


def test_slave_lists() -> None:
    assert modbus_probe.slaves("1-3,7") == [1, 2, 3, 7]
    with pytest.raises(ValueError, match="1 to 247"):
        modbus_probe.slaves("0-3")


@pytest.mark.parametrize(
    ("line", "pattern", "encoding"),
    [
        (b"V=052\r\n", "radar", "utf-8"),
        ("粤B·D12345\r\n".encode("gbk"), "plate", "gbk"),
        (b"hello world\r\n", "", "utf-8"),
    ],
)
def test_serial(tmp_path: Path, capsys: Told, line: bytes, pattern: str, encoding: str) -> None:
    with SerialPeer(tmp_path / "tty") as peer, talking(peer, line):
        assert run("serial", str(peer.link), "--seconds", "0.5", "--baud", "9600") == 0
    made = pasted(capsys.readouterr().out, tmp_path)
    assert (made.sensor[0].pattern, made.sensor[0].encoding) == (pattern, encoding)


def test_serial_noise_is_no_answer(tmp_path: Path) -> None:
    with SerialPeer(tmp_path / "tty") as peer, talking(peer, b"\xf3\x9a\x00\x81\n"):
        assert run("serial", str(peer.link), "--seconds", "0.3", "--baud", "9600") == 1


def test_gps(tmp_path: Path, capsys: Told) -> None:
    with SerialPeer(tmp_path / "tty") as peer, talking(peer, rmc() + b"\r\n"):
        assert run("gps", str(peer.link), "--baud", "9600") == 0
    told = capsys.readouterr().out
    assert "31.2480350,121.5873800" in told
    assert pasted(told, tmp_path).sensor[0].id == "place"


def test_gpio(tmp_path: Path, capsys: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    chip = FakeChip(8)
    chip.taken.add(2)
    moving = threading.Timer(0.2, chip.bounce, (5, [1, 0, 1], 0.01))
    looked: Callable[..., str | None] = functools.partial(gpio_probe.probe, open_chip=chip.open)
    moving.start()
    block = looked(argparse.Namespace(port="/dev/gpiochip9", seconds=0.6))
    moving.join()
    assert block and "line = 5  # 3 edges" in block
    assert not chip.requests
    assert "other" in capsys.readouterr().out  # line 2: taken, and not touched
    assert loaded(tmp_path, block).sensor[0].id == "contact-5"


def test_no_such_port_is_one_sentence(capsys: Told) -> None:
    assert run("modbus", "/dev/ttyNOT") == 2
    assert "plug it in" in capsys.readouterr().err
    assert run("gpio", "/dev/gpiochip99") == 2
    assert "gpiochip99" in capsys.readouterr().err


def test_a_port_gets_its_lasting_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = tmp_path / "ttyUSB0"
    node.touch()
    for folder, name in (("by-id", "usb-FTDI"), ("by-path", "usb-0:1.3")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).symlink_to(node)
    monkeypatch.setattr(port, "BY_ID", tmp_path / "by-id")
    monkeypatch.setattr(port, "BY_PATH", tmp_path / "by-path")
    assert port.lasting_name(str(node)) == str(tmp_path / "by-id" / "usb-FTDI")
    assert port.present() == [str(tmp_path / "by-id" / "usb-FTDI")]
    (tmp_path / "by-id" / "usb-FTDI").unlink()
    (tmp_path / "by-id").rmdir()
    assert port.lasting_name(str(node)) == str(tmp_path / "by-path" / "usb-0:1.3")
    assert port.lasting_name("/dev/nowhere") == "/dev/nowhere"
