from __future__ import annotations

from pathlib import Path

import pytest
import serial

from tests.fakes.serial_peer import SerialPeer


def test_lines_arrive_as_they_were_said(tmp_path: Path) -> None:
    with SerialPeer(tmp_path / "tty") as peer, serial.Serial(str(peer.link), timeout=1) as port:
        peer.say("V=052")
        peer.say("粤B·D12345", encoding="gbk")
        assert port.read_until(b"\n") == b"V=052\r\n"
        assert port.read_until(b"\n").decode("gbk") == "粤B·D12345\r\n"


def test_hears_the_agent(tmp_path: Path) -> None:
    with SerialPeer(tmp_path / "tty") as peer, serial.Serial(str(peer.link)) as port:
        assert peer.heard(0.01) == b""
        port.write(b"AT\r")
        assert peer.heard() == b"AT\r"


def test_unplugging_is_an_error_for_who_has_it_open(tmp_path: Path) -> None:
    with SerialPeer(tmp_path / "tty") as peer, serial.Serial(str(peer.link), timeout=1) as port:
        before = peer.link.readlink()
        peer.unplug()
        with pytest.raises(serial.SerialException):
            port.read(1)
        peer.plug()
        assert peer.link.readlink() != before


def test_a_port_nobody_drains_is_an_error(tmp_path: Path) -> None:
    with SerialPeer(tmp_path / "tty") as peer, pytest.raises(TimeoutError):
        peer.send(b"x" * 1_000_000, within_s=0.2)
