"""Every scenario of scenarios.py, each in its own folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.edge_agent.docks.scenarios import SCENARIOS, Scenario
from tests.edge_agent.docks.upload_scenarios import UPLOAD_SCENARIOS


@pytest.mark.parametrize("scenario", (*SCENARIOS, *UPLOAD_SCENARIOS), ids=lambda scenario: scenario.__name__)
async def test_survives(scenario: Scenario, tmp_path: Path) -> None:
    await scenario(tmp_path)
