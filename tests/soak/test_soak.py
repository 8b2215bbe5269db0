"""`make soak` in small: some seconds of the same load, and a kill."""

from __future__ import annotations

from pathlib import Path

from tests.soak.soak import soak
from tests.soak.watch import growth


async def test_the_whole_agent_and_its_page_under_load(tmp_path: Path) -> None:
    found = await soak(tmp_path, 6, units=200, per_s=50, kills=1)
    assert found["events_per_s"] >= 40
    assert found["sos_to_page_ms"]["n"] >= 1 and found["sos_to_page_ms"]["max"] < 2000
    assert found["long_task_ms_max"] < 200  # the soak holds it to 100, alone on the machine
    assert found["page_heap_growth_mb"] < 3 and found["agent_rss_growth_mb"] < 5
    assert found["accepted"] > 300 and found["lost"] == 0


def test_growth_is_the_slope_and_not_the_warm_up() -> None:
    assert growth([1, 20, 20, 20, 20, 20, 20, 20]) == 0
    assert growth([float(n) for n in range(8)]) == 4
