"""The evening's script, whole: real agent, real MicroPython units, real broker."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from tests.evening.broker import CountyMosquitto, Embedded
from tests.evening.script import Script
from tests.evening.world import World


async def once(folder: Path, broker: Any, agent: str | None = None) -> dict[str, Any]:
    lines: list[str] = []
    world = World(folder, broker, lines.append)
    if agent is not None:
        world.agent_module = agent
    async with world.running():
        result = await Script(world, lines.append).play()
    return {**result, "said": lines}


def left_running(folder: Path) -> str:
    """Processes that have something to do with `folder`."""
    listing = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True)
    return "\n".join(line for line in listing.stdout.splitlines() if str(folder) in line)


async def test_an_evening_on_the_embedded_broker(tmp_path: Path) -> None:
    result = await once(tmp_path, Embedded())
    assert result["ok"], result
    assert left_running(tmp_path) == ""


async def test_an_evening_on_the_countys_mosquitto_with_tls_and_acl(tmp_path: Path) -> None:
    result = await once(tmp_path, CountyMosquitto(tmp_path / "mosquitto", tmp_path / "ids"))
    assert result["ok"], result
    assert left_running(tmp_path) == ""


async def test_an_outbox_that_deletes_early_is_found_out(tmp_path: Path) -> None:
    result = await once(tmp_path, Embedded(), "tests.evening.broken_agent")
    assert not result["ok"]
    assert "failed" in result or result["lost"] > 0, result
