"""known.txt is what the stubs and the 32-bit build say, and what it calls free is free."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from flashing.linker.short import FREE
from tests.fakes.interpreters import BUILDS
from tests.tools import known_names

# Asks an object for names that come when it runs, and says before and after how many were new.
PROBE = """
import micropython
import sys
micropython.qstr_info()
for name in sys.stdin:
    getattr(None, name.strip(), None)
micropython.qstr_info()
"""


def new_names(build: str, names: list[str], folder: Path) -> int:
    """How many of the names that interpreter had to put on its heap."""
    if not BUILDS[build].exists() and not os.environ.get("CI"):
        pytest.skip(f"{BUILDS[build]} is not there: make micropython32")
    probe = folder / "probe.py"
    probe.write_text(PROBE)
    command = [str(BUILDS[build]), str(probe)]
    done = subprocess.run(command, input="\n".join(names), capture_output=True, text=True)
    before, after = (int(count) for count in re.findall(r"n_qstr=(\d+)", done.stdout))
    return after - before


@pytest.mark.parametrize("build", BUILDS)
def test_what_is_called_free_is_in_the_flash(build: str, tmp_path: Path) -> None:
    assert new_names(build, ["surely_nobody", "calls_it_so"], tmp_path) == 2
    assert new_names(build, list(FREE), tmp_path) == 0


def test_known_txt_is_what_its_tool_writes() -> None:
    if not known_names.BUILT.exists() and not os.environ.get("CI"):
        pytest.skip("the 32-bit build left no names: make micropython32")
    assert known_names.KNOWN.read_text("ascii") == known_names.text(), "make names"
