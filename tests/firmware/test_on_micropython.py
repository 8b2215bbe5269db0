"""One suite, two runtimes: the contract's and the core's tests again, on real MicroPython.

32 bits, because that is where a float costs metres and a small int ends at 2**30.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.fakes.interpreters import BUILDS

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).parent
FILES = sorted(
    path
    for room in ("patrol_contract", "body_unit")
    for path in (HERE / room).glob("test_*.py")
    if not path.stem.endswith("_cpython")
)


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_on_micropython(path: Path, build: str) -> None:
    command = BUILDS[build]
    if not command.exists() and not os.environ.get("CI"):
        pytest.skip(f"{command} is not built: make micropython32")
    done = subprocess.run(
        [command, "-X", "heapsize=2m", HERE / "run_under_micropython.py", path.parent, path.stem],
        env={"MICROPYPATH": f"{ROOT}/firmware:{ROOT}/.venv-unit/lib-unit:.frozen"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
