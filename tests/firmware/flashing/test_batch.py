"""The list of a day over several ports: a fault stays where it is, boards are changed."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from flashing import batch
from flashing.errors import FlashError
from flashing.identities import Batch
from flashing.job import Order, Workshop
from flashing.kit import Kit
from tests.fakes.flash_bench import ROOT, FlashBench


class Table:
    """Boards on a table: `present` tells a port's state, and a hand changes boards when asked."""

    def __init__(self) -> None:
        self.looks: dict[str, int] = {}

    def present(self, port: str) -> bool:
        """Out at the first look after a board was done, in again at the next."""
        self.looks[port] = self.looks.get(port, 0) + 1
        return self.looks[port] % 2 == 0


def test_a_fault_is_one_units_fault_alone(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    first_two = threading.Barrier(2)  # both ports are at work at the same time

    def make(shop: Workshop, order: Order) -> None:
        if order.unit in ("u-0101", "u-0103"):
            first_two.wait(10)
        if order.unit == "u-0103":
            raise FlashError("the board went away: push the plug home")
        made.append(order.unit)

    monkeypatch.setattr(batch, "make_unit", make)
    shop.ledger.add("pass", unit="u-0102", mac="24:0a", serial="1")
    wanted = [batch.Wanted(f"u-010{n}", "lte") for n in range(1, 8)]
    results = batch.run(shop, wanted, ["A", "B"], Table().present)
    assert sorted(made) == [f"u-010{n}" for n in (1, 4, 5, 6, 7)]
    assert {r.unit: r.fault for r in results if r.fault} == {
        "u-0103": "the board went away: push the plug home"
    }
    assert "u-0102: is made already" in shop.person.said
    assert {result.port for result in results} == {"A", "B"}


def test_a_full_disk_is_told_per_unit(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    def make(shop: Workshop, order: Order) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "read-out/x")

    monkeypatch.setattr(batch, "make_unit", make)
    (result,) = batch.run(shop, [batch.Wanted("u-0101", "lte")], ["A"], lambda port: True)
    assert result.fault.startswith("read-out/x: No space left on device: make room")


def test_nobody_changes_the_board(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "make_unit", lambda shop, order: None)
    monkeypatch.setattr(batch, "CHANGE_SECONDS", 0.1)
    monkeypatch.setattr(batch, "LOOK_SECONDS", 0.01)
    wanted = [batch.Wanted("u-0101", "lte"), batch.Wanted("u-0104", "lte")]
    results = batch.run(shop, wanted, ["A"], lambda port: True)
    assert [result.unit for result in results] == ["u-0101"]
    assert any("run the list again" in line for line in shop.person.said)


def test_what_cannot_succeed_is_told_before_the_first_board(shop: Workshop) -> None:
    wanted = [batch.Wanted("u-0101", "lte"), batch.Wanted("u-9999", "esp8266")]
    with pytest.raises(FlashError) as told:
        batch.refuse(shop, wanted, ["A", "B", "A"])
    for part in ("A is named twice", "'esp8266' is no board", "u-9999 not in this batch"):
        assert part in str(told.value)
    batch.refuse(shop, wanted[:1], ["A", "B"])


def children(of: int) -> list[str]:
    """Return the command lines of the processes in this one's session."""
    found: list[str] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            session = int(stat.read_text().rpartition(")")[2].split()[3])
            if session == of:
                found.append((stat.parent / "cmdline").read_text())
        except OSError:
            continue  # it has just ended
    return found


@pytest.mark.parametrize("when", ["becomes u-0102", "press the button"])
def test_ctrl_c_ends_the_whole_bench_at_once(
    tmp_path: Path, kit_folder: Path, made_kit: Kit, batch: Batch, when: str
) -> None:
    with FlashBench(tmp_path, kit_folder, batch) as bench:
        boards = [bench.plug(name, mac=f"24:0a:c4:00:00:0{name}") for name in "12"]
        (tmp_path / "units.csv").write_text("unit,board\nu-0101,lte\nu-0102,lte\nu-0103,lte\n")
        command = [sys.executable, "-m", "flashing", "--home", str(bench.home)]
        command += ["--kit", str(kit_folder), "flash", "--batch", str(tmp_path / "units.csv")]
        command += ["--passphrase-file", str(tmp_path / "passphrase"), "--no-line-test"]
        command += [part for board in boards for part in ("--port", board.port)]
        program = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'firmware'}:{ROOT}", "COLUMNS": "250"},
            start_new_session=True,
        )
        assert program.stdout is not None and program.stdin is not None
        with program.stdout, program.stdin:
            while when not in (line := program.stdout.readline()):
                assert line, "it ended before"
            os.killpg(program.pid, signal.SIGINT)
            began = time.monotonic()
            said = program.stdout.read()
            assert program.wait(20) == 1
        assert time.monotonic() - began < 10
        assert said.count("interrupted: this unit has no PASS") == 1
        assert "Traceback" not in said
        deadline = time.monotonic() + 10
        while children(program.pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert children(program.pid) == []
        assert bench.passed() == []
