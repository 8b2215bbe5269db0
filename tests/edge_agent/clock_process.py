"""A checkpoint whose clock is not set, as a process to be killed.

    python -m tests.edge_agent.clock_process DATA COUNTY_PORT KERNEL_BOOT

Its wall clock is BEHIND s late until DATA/set exists; then it is right, and synchronised. For each
record that is accepted it prints `BOOT SEQ TRUE_TIME`.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

from edge_agent.clock import Clock
from edge_agent.clock_room import ClockRoom
from edge_agent.outbox import Outbox
from edge_agent.presence import Presence
from edge_agent.reporter import Reporter
from edge_agent.restamp import Restamp
from edge_agent.uplink import Uplink
from edge_agent.uplink_config import UplinkConfig
from tests.bench.heart_process import no_commands

BEHIND = 40_000_000


async def checkpoint(data: Path, county: int, boot: str) -> None:
    def is_set() -> bool:
        return (data / "set").exists()

    def wall() -> float:
        return time.time() - (0 if is_set() else BEHIND)

    outbox = Outbox(data / "outbox.db")
    await outbox.open()
    clock = Clock(False, is_set, wall, boot=boot)
    room = ClockRoom(clock, outbox)
    await room.load()
    reporter = Reporter("c371500", "k-07", outbox.accept, wall, clock.stamp)
    uplink = Uplink(
        [UplinkConfig(url=f"mqtt://127.0.0.1:{county}", mqtt="5")],
        outbox,
        no_commands,
        client_id="k-07",
        state=Presence(reporter, outbox, "test", {}).state,
        outgoing=Restamp(clock.timeline, "k-07"),
    )

    async def work() -> None:
        while True:
            true = int(time.time())
            event = await reporter.report(
                "cp_sensor",
                {"S": "supply"},
                {"kind": "supply_voltage", "value": 1, "quality": "good", "read": int(wall())},
            )
            os.write(1, f"{event.boot} {event.seq} {true}\n".encode())
            await asyncio.sleep(0.002)

    async with asyncio.TaskGroup() as group:
        for part in (room.run(), uplink.run(), work()):
            group.create_task(part)


if __name__ == "__main__":
    asyncio.run(checkpoint(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
