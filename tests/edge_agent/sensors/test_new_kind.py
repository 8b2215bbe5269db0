"""Adding a kind: one file (example_kind.py) and one row in the registry, nothing else.

The row is added before the configuration is imported, as a row in kinds.py is: so in a process of
its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.edge_agent.sensors.example_kind import decode

PROGRAM = """
import asyncio, json, sys
from pathlib import Path
from edge_agent.sensors import kinds
from tests.edge_agent.sensors import example_kind

kinds.KINDS["w1"] = kinds.Kind(example_kind.W1Section, example_kind.run)  # the one row

from edge_agent import config
from tests.edge_agent.sensors.rig import running

async def main(folder):
    toml = (folder / "sensor.toml").read_text()
    async with running(folder, toml) as kept:
        print(json.dumps(await kept.until("outside", lambda f: True)))

try:
    asyncio.run(main(Path(sys.argv[1])))
except config.ConfigError as error:
    print(error)
"""
SENSOR = '[[sensor]]\nid = "outside"\nkind = "w1"\ndevice = "28-0316a2795aff"\nunit = "°C"\n'
LINES = "5a 01 4b 46 7f ff 0c 10 d4 : crc=d4 YES\n5a 01 4b 46 7f ff 0c 10 d4 t=-21625\n"


def run(folder: Path, toml: str) -> str:
    (folder / "sensor.toml").write_text(toml + f'root = "{folder}"\n')
    command = [sys.executable, "-c", PROGRAM, str(folder)]
    env = {"PYTHONPATH": "firmware:.", "PATH": ""}
    root = Path(__file__).parents[3]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, env=env, check=True)
    return done.stdout


def test_decode() -> None:
    assert decode(LINES) == -21625
    assert decode(LINES.replace("YES", "NO")) is None


def test_it_reads_and_is_told_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "28-0316a2795aff").mkdir()
    (tmp_path / "28-0316a2795aff" / "w1_slave").write_text(LINES)
    told = json.loads(run(tmp_path, SENSOR))
    assert (told["kind"], told["value"], told["quality"]) == ("outside", -21625, "good")


def test_its_problem_is_told(tmp_path: Path) -> None:
    assert json.loads(run(tmp_path, SENSOR))["quality"] == "fault"


def test_its_keys_are_checked_and_suggested(tmp_path: Path) -> None:
    assert "did you mean device?" in run(tmp_path, SENSOR.replace("device", "devise"))
