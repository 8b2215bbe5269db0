"""Every scenario, each in its own folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.edge_agent.docks.box_scenarios import BOX_SCENARIOS
from tests.edge_agent.docks.full_scenarios import FULL_SCENARIOS
from tests.edge_agent.docks.image_scenarios import IMAGE_SCENARIOS
from tests.edge_agent.docks.journal_scenarios import JOURNAL_SCENARIOS
from tests.edge_agent.docks.redock_scenarios import REDOCK_SCENARIOS
from tests.edge_agent.docks.scenarios import CAMERA_SCENARIOS, Scenario
from tests.edge_agent.docks.upload_scenarios import UPLOAD_SCENARIOS
from tests.fakes import disk_images

NO_IMAGES = disk_images.available()


def named(scenario: Scenario) -> str:
    return scenario.__name__


@pytest.mark.parametrize(
    "scenario",
    (*CAMERA_SCENARIOS, *REDOCK_SCENARIOS, *BOX_SCENARIOS, *UPLOAD_SCENARIOS, *JOURNAL_SCENARIOS),
    ids=named,
)
async def test_survives(scenario: Scenario, tmp_path: Path) -> None:
    await scenario(tmp_path)


@pytest.mark.skipif(NO_IMAGES is not None, reason=str(NO_IMAGES))
@pytest.mark.parametrize("scenario", (*IMAGE_SCENARIOS, *FULL_SCENARIOS), ids=named)
async def test_survives_on_images(scenario: Scenario, tmp_path: Path) -> None:
    await scenario(tmp_path)
