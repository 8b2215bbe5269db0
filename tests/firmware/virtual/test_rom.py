"""The flashed program out of mapped memory, on each MicroPython that is built here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import unit_heap

BUILT = [build for build, path in unit_heap.BUILDS.items() if path.exists()]
LARGEST_BLOCK = 8192  # bytes: what a unit can be sure to find in its heap


@pytest.mark.parametrize("build", BUILT)
def test_a_patrol_with_every_fault_asks_for_no_large_block(tmp_path: Path, build: str) -> None:
    seen = unit_heap.watched(tmp_path, build)
    assert 1024 < seen["largest"] <= LARGEST_BLOCK
    assert 4096 < seen["virtual"] < 40_000
