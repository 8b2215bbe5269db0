"""The unit's half of the self test, on real MicroPython: the line to the broker, bad findings."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flashing import certs, kit, layout, selftest, unit_files
from flashing.identities import Batch, UnitIdentity
from flashing.repl import DeviceError, Repl
from tests.fakes.esp32_board import Esp32Board
from tests.fakes.flash_bench import SITE

MB = 2**20


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[tuple[certs.Authority, int]]:
    """A TLS server that wants a unit's certificate."""
    ca = certs.make_ca(tmp_path / "ca")
    certs.issue(ca, "broker", "county", ["c.example"], tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(tmp_path / "ca/ca.cert.pem")
    context.load_cert_chain(tmp_path / "broker.cert.pem", tmp_path / "broker.key.pem")
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve() -> None:
        listener.settimeout(0.1)
        while not ended.is_set():
            try:
                raw, _ = listener.accept()
                with context.wrap_socket(raw, server_side=True) as line:
                    line.recv(1)
            except (TimeoutError, OSError):
                continue  # nobody yet, or one whose certificates did not fit

    thread = threading.Thread(target=serve)
    thread.start()
    yield ca, listener.getsockname()[1]
    ended.set()
    thread.join()
    listener.close()


def unit(folder: Path, made: kit.Kit, ca: certs.Authority, trusts: bytes, port: int) -> Esp32Board:
    """Return a board that is u-0101 already and has `station` in range."""
    county = {**SITE["brokers"]["county"], "port": port, "then": ""}
    site: dict[str, Any] = {**SITE, "brokers": {"county": county}}
    issued = certs.issue(ca, "u-0101", "unit")
    who = UnitIdentity(f"{issued.serial:x}", issued.key_der, issued.cert_der)
    files = unit_files.assemble(made, Batch(site, trusts, {"u-0101": [who]}), "u-0101", who, "lte")
    files["/main.py"] = b""  # only the test runs
    flash = bytearray(b"\xff" * 4 * MB)
    for at, content in layout.plan(made.image, 4 * MB).regions(files):
        flash[at : at + len(content)] = content
    folder.mkdir()
    (folder / "flash.bin").write_bytes(flash)
    (folder / "wifi").write_text("station\ta secret psk\t-60\n")
    (folder / "dns").write_text("c.example\t127.0.0.1\n")
    (folder / "adc").write_bytes(struct.pack("<H", 700) * 40)
    return Esp32Board(folder)


def ask(repl: Repl, call: str) -> Any:
    return json.loads(repl.run(f"selftest.{call}", 20))


def test_the_line_to_the_broker_is_tested_with_both_certificates(
    tmp_path: Path, made_kit: kit.Kit, broker: tuple[certs.Authority, int]
) -> None:
    ca, port = broker
    with (
        unit(tmp_path / "good", made_kit, ca, ca.cert_der, port) as board,
        Repl(board.port) as repl,
    ):
        repl.run("from drivers import selftest")
        assert ask(repl, "line(5)") == {"reach": "TLS"}
        assert ask(repl, "battery()")["mv"] < 3000
        assert ask(repl, "gps()") == {"heard": "", "fix": False}
        assert ask(repl, "pressed(100)") == {"down": False, "up": True}
        with pytest.raises(DeviceError, match="ZeroDivisionError"):
            repl.run("1/0")
        (board.world / "wifi").write_text("somebody\tx\t-60\n")
        assert ask(repl, "line(5)") == {"reach": "no known Wi-Fi in range"}
    stranger = certs.make_ca(tmp_path / "stranger")
    with (
        unit(tmp_path / "bad", made_kit, ca, stranger.cert_der, port) as board,
        Repl(board.port) as repl,
    ):
        repl.run("from drivers import selftest")
        found = ask(repl, "line(5)")
        assert found["reach"] == ""
        assert "not correctly signed" in found["why"]


def test_the_chips_own_log_is_no_answer() -> None:
    class Wire:
        port = "A"
        said = ""

        def run(self, code: str, seconds: float) -> str:
            return self.said

    wire = Wire()
    bench = selftest.Bench(wire, None, None)  # type: ignore[arg-type]
    wire.said = 'W (4711) wifi: init\n{"mv": 3900}\nI (4720) wifi: stop\n'
    assert bench.call("battery()", 1) == {"mv": 3900}
    for wire.said in ("", "W (4711) wifi: init\n", "17\n"):
        with pytest.raises(DeviceError, match="not understood"):
            bench.call("battery()", 1)
