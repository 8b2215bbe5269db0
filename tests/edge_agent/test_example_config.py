"""The commented example is what people copy: it must load, and show every kind there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent import config
from edge_agent.buses import KINDS as BUSES
from edge_agent.outputs.kinds import KINDS as OUTPUTS
from edge_agent.sensors.kinds import KINDS as SENSORS

EXAMPLE = Path(config.__file__).parent / "deploy" / "agent.example.toml"
FILES = (
    *("command-keys.json", "ids/county-ca.pem", "ids/units-ca.pem"),
    *("ids/checkpoint.pem", "ids/checkpoint.key"),
)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """As a technician has it: the file, and what it names beside it."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    path = tmp_path / "agent.toml"
    path.write_bytes(EXAMPLE.read_bytes())
    return path


def test_it_loads_and_shows_every_kind(copied: Path) -> None:
    made = config.load(copied)
    assert {s.kind for s in made.bus} == set(BUSES)
    assert {type(s) for s in made.sensor} == {kind.section for kind in SENSORS.values()}
    assert {type(o) for o in made.output} == {kind.section for kind in OUTPUTS.values()}
    assert made.alarm.siren in {o.id for o in made.output}


def test_a_missing_file_is_named_with_its_line(copied: Path) -> None:
    (copied.parent / "ids" / "checkpoint.key").unlink()
    with pytest.raises(config.ConfigError) as raised:
        config.load(copied)
    lines = EXAMPLE.read_text().splitlines()
    for fault in raised.value.faults:
        assert "checkpoint.key" in str(fault)
        assert lines[fault.line - 1].startswith("key = ")
    assert len(raised.value.faults) == 2


def test_every_key_of_it_is_in_the_schema() -> None:
    known = str(config.schema())
    for line in EXAMPLE.read_text().splitlines():
        key, equals, _ = line.partition(" = ")
        if equals and not line.startswith("#"):
            assert f"'{key}'" in known, key
