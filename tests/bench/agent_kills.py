"""SIGKILLs of the agent under load, and stops and kills of the county's broker. Loss must be 0, and
must not be 0 in the control that deletes when it has sent.
"""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

from patrol_contract.intervals import Intervals
from tests.bench.heart_rig import CountyLedger, Heart, Key, UnitLoad
from tests.fakes.mosquitto import UNLIMITED, Mosquitto
from tests.fakes.slow_link import SlowLink

UNITS = ("u-0001", "u-0002")
PER_S = 150  # records of one unit
LINK = (4e6, 0.04)  # bit/s and s: something is always under way
# As edge_agent/deploy/county/mosquitto.conf has it
DRAIN_S = 90.0
PERSISTENT = UNLIMITED + "persistence true\nautosave_on_changes true\nautosave_interval 1\n"


def accepted(heart: Heart, units: list[UnitLoad]) -> dict[Key, Intervals]:
    """What the ledgers outside say was accepted."""
    return {**heart.said, **{(unit.unit, unit.boot): unit.acked for unit in units}}


async def killed(folder: Path, kills: int, seed: int, *options: str) -> dict[str, int]:
    """One rig: kill the heart again and again, half of the times with the line (a power cut)."""
    chance = random.Random(seed)
    units = [UnitLoad(unit, PER_S) for unit in UNITS]
    with Mosquitto(folder / "mosquitto") as broker:
        county = CountyLedger(broker.port)
        link = await SlowLink(broker.port, *LINK).start()
        heart = Heart(folder / "data", link.port, "--sensors", "50", *options)
        try:
            for _ in range(kills):
                await heart.start()
                load = [asyncio.create_task(unit.run(heart.port)) for unit in units]
                await asyncio.sleep(chance.uniform(0.1, 0.7))
                if chance.random() < 0.5:
                    link.cut()
                await heart.kill()
                await asyncio.gather(*load)
            await heart.start()  # a last time, to send what is left
            lost = await county.has_all(accepted(heart, units), 5 if options else 60)
            await heart.kill()
        finally:
            await link.stop()
            county.stop()
        total = sum(seqs.count for seqs in accepted(heart, units).values())
    return {"kills": kills, "accepted": total, "lost": lost}


async def kill9(folder: Path, kills: int, rigs: int = 3, control: int = 30) -> dict[str, Any]:
    """`kills` over several rigs at once, and the control beside them."""
    shares = [kills // rigs + (n < kills % rigs) for n in range(rigs)]
    runs = [killed(folder / f"kill-{n}", share, n) for n, share in enumerate(shares)]
    *real, broken = await asyncio.gather(
        *runs, killed(folder / "control", control, 99, "--delete-on-send")
    )
    return {
        "kills": sum(run["kills"] for run in real),
        "accepted": sum(run["accepted"] for run in real),
        "lost": sum(run["lost"] for run in real),
        "control_kills": broken["kills"],
        "control_lost": broken["lost"],
    }


async def broker_stopped(folder: Path, times: int, kill: bool) -> int:
    """Stop (or SIGKILL) and start the county's broker under load; returns what is lost."""
    chance = random.Random(times)
    units = [UnitLoad(unit, PER_S) for unit in UNITS]
    config = f"{PERSISTENT}persistence_location {folder}/mosquitto/\n"
    broker = Mosquitto(folder / "mosquitto", config).start()
    county = CountyLedger(broker.port)
    heart = Heart(folder / "data", broker.port, "--sensors", "50")
    try:
        await heart.start()
        load = [asyncio.create_task(unit.run(heart.port)) for unit in units]
        for _ in range(times):
            await asyncio.sleep(chance.uniform(0.5, 1.5))
            await asyncio.to_thread(broker.stop, kill)
            await asyncio.sleep(chance.uniform(0.1, 0.5))
            await asyncio.to_thread(broker.start)
        for task in load:
            task.cancel()
        await asyncio.gather(*load, return_exceptions=True)
        await heart.drained(DRAIN_S)  # it may be resting between two attempts
        return await county.has_all(accepted(heart, units), 10)
    finally:
        await heart.kill()
        county.stop()
        await asyncio.to_thread(broker.stop)


async def broker_kill9(folder: Path, stops: int, kills: int) -> dict[str, Any]:
    """The broker stopped in order, and apart from it what a SIGKILLed one loses by itself."""
    lost, own = await asyncio.gather(
        broker_stopped(folder / "stopped", stops, False),
        broker_stopped(folder / "killed", kills, True),
    )
    return {"kills": stops, "lost": lost, "county_broker_kills": kills, "county_broker_lost": own}
