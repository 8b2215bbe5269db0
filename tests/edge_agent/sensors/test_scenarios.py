from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from edge_agent.buses import modbus
from tests.edge_agent.sensors.scenarios import SCENARIOS, Scenario


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
async def test_survived(
    scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 2 s of rest are for slaves on a real wire; here a late answer is 0.25 s late.
    monkeypatch.setattr(modbus, "REST_S", 0.4)
    async with asyncio.timeout(30):
        await scenario(tmp_path)
