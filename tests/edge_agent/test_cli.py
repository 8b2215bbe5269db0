"""What a technician gets for bad input: one sentence with place and remedy, exit code 2."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

MINIMAL = """\
[checkpoint]
id = "k-07"
county = "c371500"
data_dir = "data"
[desk]
listen = "127.0.0.1:{port}"
"""


def agent(config: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge_agent.cli", "run", "-c", str(config)],
        capture_output=True,
        text=True,
        timeout=30,
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("data_dir", "datadir", "agent.toml:4: checkpoint.datadir"),
        ("{port}", "99999", "agent.toml:6"),
        ('"k-07"', '"K 07"', "agent.toml:2: checkpoint.id"),
        ("[desk]", '[commands]\nkeys = "nowhere.json"\n[desk]', "nowhere.json"),
        ("[checkpoint]", "[checkpoint", "TOML"),
    ],
)
def test_a_wrong_configuration(tmp_path: Path, old: str, new: str, says: str) -> None:
    path = tmp_path / "agent.toml"
    path.write_text(MINIMAL.replace(old, new).replace("{port}", "0"))
    done = agent(path)
    assert done.returncode == 2, done.stderr
    assert says.replace(": checkpoint.", ": ") in done.stderr.replace("checkpoint.", "")
    assert "Traceback" not in done.stderr


def test_a_missing_file(tmp_path: Path) -> None:
    done = agent(tmp_path / "agent.toml")
    assert done.returncode == 2
    assert "agent.toml" in done.stderr and "Traceback" not in done.stderr


def test_a_taken_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        path = tmp_path / "agent.toml"
        path.write_text(MINIMAL.format(port=other.getsockname()[1]))
        done = agent(path)
    assert done.returncode == 2
    assert "[desk]" in done.stderr and "another port" in done.stderr
    assert "Traceback" not in done.stderr
