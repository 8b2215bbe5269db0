"""The bench itself, with reduced counts: its keys, and that nothing is far off."""

from __future__ import annotations

from tests.bench.bench_sensors import measure


async def test_short() -> None:
    told = await measure(full=False)
    assert told["ratio"] < 2 and told["poll_period_s"] > told["bus_minimum_s"] * 0.9
    assert told["edge_to_outbox_ms"]["n"] == 50
    assert told["replug_recover_s"] <= 3
    assert told["wakeups_per_s"] < 20
    assert told["faults"] == {"tried": 0, "survived": 0}  # test_scenarios.py runs them
