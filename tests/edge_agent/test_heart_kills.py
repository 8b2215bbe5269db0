"""`make bench-agent` in small: kills, power cuts and peers' faults with the counts of a gate."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from tests.bench.agent_endpoint import CLIENTS, endpoint_bench
from tests.bench.agent_kills import broker_stopped, kill9
from tests.bench.agent_store import outage, unsynced_writes


async def test_killed_nothing_is_lost_and_the_control_loses(tmp_path: Path) -> None:
    found = await kill9(tmp_path, 6, rigs=2, control=8)
    assert found["accepted"] > 100
    assert found["lost"] == 0
    assert found["control_lost"] > 0, (
        "a bench that finds no loss where there is some proves nothing"
    )


async def test_the_countys_broker_stopped_and_started(tmp_path: Path) -> None:
    assert await broker_stopped(tmp_path, 3, kill=False) == 0


@pytest.mark.skipif(not os.access("/dev/fuse", os.W_OK), reason="no /dev/fuse here")
async def test_power_cuts_on_a_disk_that_forgets(tmp_path: Path) -> None:
    found = await unsynced_writes(tmp_path, 5)
    assert found["accepted"] > 50 and found["lost"] == 0


async def test_an_outage_drains_and_memory_stays(tmp_path: Path) -> None:
    found = await outage(tmp_path, 0.05, 10e6, 30)
    assert found["restart_s"] < 2
    assert (found["left"], found["sent"]) == (0, found["records"] + 1)
    assert found["memory_growth_mb"] < 20


async def test_the_endpoint_under_odd_packets(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    found = await endpoint_bench(tmp_path, 2000)
    assert found["crashes"] == 0, found["why"]
    assert found["clients_tried"] == len(CLIENTS)
