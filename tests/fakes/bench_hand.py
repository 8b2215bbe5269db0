"""The person at the flashing bench: runs flash.sh's command line and does what it asks.

Answers questions on stdin, presses the buttons that are asked for, and remembers what was shown.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.unit_world import PRESS, UnitWorld

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 180.0  # seconds for one command; nothing at a bench takes longer


@dataclass
class Done:
    """A finished command."""

    code: int
    text: str
    seconds: float


@dataclass
class Hand:
    """`answers`: word in a question -> answer, the first that fits; otherwise yes."""

    worlds: dict[str, UnitWorld] = field(default_factory=dict[str, UnitWorld])
    answers: dict[str, str] = field(default_factory=dict[str, str])
    runner: list[str] = field(default_factory=lambda: ["-m", "flashing"])

    def run(self, *arguments: str) -> Done:
        """Run one command of flash.sh to its end."""
        command = [sys.executable, *self.runner, *arguments]
        environment = {
            **os.environ,
            "PYTHONPATH": f"{ROOT / 'firmware'}:{ROOT}",
            "COLUMNS": "250",  # a sentence is one line, so that it can be recognised
        }
        began = time.monotonic()
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )
        limit = threading.Timer(PATIENCE, process.kill)
        limit.start()
        assert process.stdin is not None and process.stdout is not None
        lines: list[str] = []
        with process.stdout, process.stdin:
            for line in process.stdout:
                lines.append(line)
                if "[y/n" in line:
                    fit = [answer for word, answer in self.answers.items() if word in line]
                    process.stdin.write([*fit, "y"][0] + "\n")
                    process.stdin.flush()
                elif PRESS in line:
                    self._press(line)
        code = process.wait()
        limit.cancel()
        return Done(code, "".join(lines), time.monotonic() - began)

    def _press(self, line: str) -> None:
        for port, world in self.worlds.items():
            if f"{port} " in line:
                world.obey(port, line)
