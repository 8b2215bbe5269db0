"""Power cuts and SIGKILLs, a few of them: `make bench-dock` does all."""

from __future__ import annotations

from pathlib import Path

from tests.edge_agent.docks import cuts


async def test_power_cuts_at_step_boundaries(tmp_path: Path) -> None:
    points = await cuts.record_cuts(tmp_path / "play")
    steps = {cut.step.split(" ")[0] for cut in points}
    assert {"commit", "fdatasync", "fsync", "rename"} <= steps
    assert len(points) > 40
    for n in range(0, len(points), len(points) // 5):
        await cuts.survive(points[n], tmp_path / f"after-{n}")


async def test_sigkill_at_random_moments(tmp_path: Path) -> None:
    result = await cuts.kill9(tmp_path, kills=3, seed=20260804)
    assert result.kills == 3
    assert not result.wrong
