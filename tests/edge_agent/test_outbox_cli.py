"""status, outbox and doctor on a real file, as a technician types them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from edge_agent.event import Event, Klass
from edge_agent.outbox import Outbox
from tests.fakes.mosquitto import Mosquitto, free_port

ROOT = Path(__file__).parents[2]


def agent(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge_agent.cli", *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}/firmware:{ROOT}", "PATH": "/usr/bin:/bin"},
        timeout=30,
    )


@pytest.fixture
async def toml(tmp_path: Path) -> Path:
    """A checkpoint with one SOS and two positions waiting, and one odd payload."""
    outbox = Outbox(tmp_path / "data" / "outbox.db")
    await outbox.open()
    for seq in (1, 2):
        await outbox.accept(
            Event(
                "owntracks/c371500/u-1", b'{"n":1}', Klass.TELEMETRY, "u-1", "0" * 16, seq, at=1e9
            )
        )
    await outbox.accept(
        Event("patrol/v1/c371500/u-1/sos", b"{}", Klass.SOS, "u-1", "0" * 16, 3,
              sos="9" * 16, state="raised", at=1e9 + 60)
    )  # fmt: skip
    await outbox.do(
        lambda db: db.execute(
            "INSERT INTO quarantine VALUES (1, 1e9, 'u-2', 't', x'ff', 'no JSON')"
        )
    )
    await outbox.close()
    path = tmp_path / "agent.toml"
    path.write_text(
        '[checkpoint]\nid = "k-07"\ncounty = "c371500"\ndata_dir = "data"\n'
        f'[clock]\nrtc = true\n[[uplink]]\nurl = "mqtt://127.0.0.1:{free_port()}"\n'
    )
    return path


def test_status_says_what_waits(toml: Path) -> None:
    told = agent("status", "-c", str(toml))
    assert told.returncode == 0
    lines = {line.split()[0]: line.split() for line in told.stdout.splitlines()}
    assert lines["求助"][2] == "1" and lines["遥测"][2] == "2" and lines["隔离"][2] == "1"


def test_outbox_lists_and_exports_and_purges_nothing(toml: Path) -> None:
    exported = agent("outbox", "export", "-c", str(toml))
    rows = [json.loads(line) for line in exported.stdout.splitlines()]
    assert [(row["sender"], row["seq"]) for row in rows] == [("u-1", 3), ("u-1", 1), ("u-1", 2)]
    assert "owntracks/c371500/u-1" in agent("outbox", "list", "-c", str(toml)).stdout
    assert "no JSON" in agent("outbox", "quarantine", "-c", str(toml)).stdout
    assert agent("outbox", "purge", "-c", str(toml)).returncode == 2
    assert agent("outbox", "export", "-c", str(toml)).stdout == exported.stdout


def test_doctor_names_each_fault_in_a_sentence(toml: Path, tmp_path: Path) -> None:
    told = agent("doctor", "-c", str(toml))
    assert told.returncode == 1
    assert "not reached" in told.stdout and "the oldest record waits" in told.stdout
    assert "Traceback" not in told.stderr
    (tmp_path / "data" / "outbox.db").write_bytes(b"x" * 5000)
    assert "cannot be read" in agent("doctor", "-c", str(toml)).stdout


def test_doctor_finds_nothing_where_all_is_well(toml: Path, tmp_path: Path) -> None:
    (tmp_path / "data" / "outbox.db").unlink()
    agent("status", "-c", str(toml))
    port = int(toml.read_text().rsplit(":", 1)[1].strip('"\n'))
    with Mosquitto(tmp_path / "county", port=port):
        told = agent("doctor", "-c", str(toml))
    assert "not reached" not in told.stdout
    assert "has not run yet" in told.stdout


def test_without_an_outbox_or_a_configuration_it_says_so(tmp_path: Path) -> None:
    told = agent("status", "-c", str(tmp_path / "none.toml"))
    assert told.returncode == 1 and "none.toml" in told.stderr and "Traceback" not in told.stderr
