"""The agent is killed in the middle of an SOS: siren and page are back in five seconds."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from tests.evening.broker import Embedded
from tests.evening.script import of
from tests.evening.world import VISITOR, World

BACK_S = 5.0


async def sos_on_page(world: World) -> bool:
    view = await world.state()
    return view is not None and any(row["unit"] == VISITOR for row in view["sos"].values())


async def test_an_sos_survives_a_sigkill_of_the_agent(tmp_path: Path) -> None:
    world = World(tmp_path, Embedded(), lambda _line: None)
    async with world.running():
        unit = world.units[VISITOR]
        await world.county.first("the unit", of("unit_location", U=VISITOR), 25)
        world.link.cut()
        await asyncio.to_thread(unit.hold)
        await world.until("the siren", world.siren_on, 10)

        await world.kill_agent()
        (tmp_path / "siren").write_text("off\n")  # as a relay falls when nobody drives it
        began = time.monotonic()
        await world.start_agent()
        await world.until("the siren again", world.siren_on, BACK_S)
        assert await sos_on_page(world)
        assert time.monotonic() - began < BACK_S

        world.link.restore()
        await world.county.first("the SOS at the county", of("unit_sos", U=VISITOR), 15)
        held = await world.assigned()
        lost = world.county.consumer.lost({k: v for k, v in held.items() if k[0] == VISITOR})
        assert not lost, lost
