"""The two MicroPythons that a unit's code runs on at a desk, by the width of their words."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
BUILT_32 = CACHE / "patrol-micropython32"  # make micropython32
BUILDS = {
    "64": ROOT / ".venv-unit/bin/micropython",
    "32": Path(os.environ.get("MICROPYTHON32", BUILT_32 / "micropython")),
}
# For figures of the heap: what stands for silicon lies in its flash (micropython32.sh). The 64-bit
# one is a wheel, and has it on the heap.
UNIT_BUILDS = {**BUILDS, "32": BUILT_32 / "micropython-unit"}
