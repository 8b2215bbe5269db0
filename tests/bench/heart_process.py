"""The agent's heart as a process of its own, to be killed: outbox, units' endpoint, uplink.

    python -m tests.bench.heart_process DATA COUNTY_PORT [--sensors PER_S] [--delete-on-send]

Prints `ready PORT`, then `s BOOT SEQ` for each of its own records once that is accepted: a ledger
that survives it, because a pipe's content does. `--delete-on-send` is the control: the same agent
but for one line, so that the bench must find losses.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from pathlib import Path

from edge_agent.outbox import Outbox
from edge_agent.outbox_record import Held
from edge_agent.presence import Presence
from edge_agent.reporter import Reporter
from edge_agent.units.config import UnitsConfig
from edge_agent.units.endpoint import UnitsEndpoint
from edge_agent.uplink import Uplink
from edge_agent.uplink_config import UplinkConfig

COUNTY, CHECKPOINT = "c371500", "k-07"


class DeletesEarly(Outbox):
    """The control: a record is deleted when it is handed to the socket, as others do."""

    def next(self, sos_only: bool = False) -> Held | None:
        held = super().next(sos_only)
        if held is not None:
            super().done(held)
        return held

    def done(self, held: Held) -> None:
        """It is gone already."""

    def give_back(self, rows: list[Held]) -> None:
        """Nothing to give back: they are gone."""


async def no_commands(topic: str, payload: bytes, retained: bool) -> None:
    """Nothing comes down in this bench."""


def say(line: str) -> None:
    """One write: whole in the pipe even if the process dies now."""
    os.write(1, line.encode() + b"\n")


async def sensors(reporter: Reporter, per_s: float) -> None:
    """Readings at a steady rate; each is said once it is accepted."""
    while True:
        event = await reporter.report(
            "cp_sensor",
            {"S": "supply"},
            {"kind": "supply_voltage", "value": 12430, "unit": "V", "quality": "good",
             "read": int(time.time())},
        )  # fmt: skip
        say(f"s {event.boot} {event.seq}")
        await asyncio.sleep(1 / per_s)


async def heart(data: Path, county: int, sensors_per_s: float, delete_on_send: bool) -> None:
    outbox = (DeletesEarly if delete_on_send else Outbox)(data / "outbox.db")
    await outbox.open()
    reporter = Reporter(COUNTY, CHECKPOINT, outbox.accept)
    endpoint = UnitsEndpoint(UnitsConfig(listen="127.0.0.1:0"), outbox, COUNTY)
    uplink = Uplink(
        [UplinkConfig(url=f"mqtt://127.0.0.1:{county}", mqtt="5")],
        outbox,
        no_commands,
        client_id=CHECKPOINT,
        state=Presence(reporter, outbox, "bench", {}).state,
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(endpoint.run())
        group.create_task(uplink.run())
        while endpoint.address is None:  # noqa: ASYNC110 - once, at the start
            await asyncio.sleep(0.005)
        say(f"ready {endpoint.address[1]}")
        if sensors_per_s:
            group.create_task(sensors(reporter, sensors_per_s))


if __name__ == "__main__":
    ask = argparse.ArgumentParser()
    ask.add_argument("data", type=Path)
    ask.add_argument("county", type=int)
    ask.add_argument("--sensors", type=float, default=0)
    ask.add_argument("--delete-on-send", action="store_true")
    given = ask.parse_args()
    asyncio.run(heart(given.data, given.county, given.sensors, given.delete_on_send))
