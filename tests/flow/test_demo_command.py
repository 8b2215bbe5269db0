"""`python -m tests.evening` as `make demo` calls it: live, replayed, asked wrongly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.fakes.routes import VILLAGE, generate
from tests.flow.test_once import left_running

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "tests.evening"]
ENV = {**os.environ, "PYTHONPATH": "firmware:.", "PYTHONUNBUFFERED": "1"}


def live(folder: Path, wanted: str, *more: str) -> tuple[list[str], int]:
    """Run the demo until a line holds `wanted`, then press Ctrl-C: (lines, exit code)."""
    demo = subprocess.Popen(
        [*COMMAND, "--folder", str(folder), *more],
        cwd=ROOT,
        env=ENV,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    timer = threading.Timer(45, demo.kill)
    timer.start()
    lines: list[str] = []
    assert demo.stdout is not None
    for line in demo.stdout:
        lines.append(line)
        if wanted in line:
            demo.send_signal(signal.SIGINT)
            wanted = "\0"  # once
    timer.cancel()
    return lines, demo.wait(20)


def test_it_shows_what_the_county_sees_and_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    lines, code = live(tmp_path, "u-0002     ")
    assert code == 0, "".join(lines)
    assert "http://127.0.0.1:" in lines[0]
    assert left_running(tmp_path) == ""


def test_a_recorded_log_is_walked_again(tmp_path: Path) -> None:
    log = tmp_path / "walk.nmea"
    route = generate(VILLAGE, start_s=1795280400)
    log.write_text("".join("".join(next(route)[1]) for _ in range(30)))
    lines, code = live(tmp_path / "run", "位置 35.238", "--nmea", str(log))
    assert code == 0, "".join(lines)
    assert any("位置 35.238" in line for line in lines), "".join(lines)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (["--nmea", "/nowhere/walk.nmea"], "No such file"),
        (["--nmea", __file__], "no RMC sentence"),
        (["--gps", "/dev/ttyNONE0"], "plug the receiver in"),
        (["--county", "http://example"], "not mqtt://host"),
        (["--county", "mqtt://127.0.0.1:1"], "is the broker up"),
    ],
)
def test_asked_wrongly_it_says_so_in_one_sentence(
    asked: list[str], says: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [*COMMAND, "--folder", str(tmp_path), *asked],
        cwd=ROOT,
        env=ENV,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert left_running(tmp_path) == ""
