"""`make demo`: the evening, live; with --once the script, its JSON object on the last line."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
import tempfile
from pathlib import Path

from edge_agent.county.patrolctl import Asked
from tests.evening import feed
from tests.evening.broker import AnyBroker, Embedded, Real
from tests.evening.script import Script
from tests.evening.world import VISITOR, WALKER, World


def say(text: str) -> None:
    print(text, flush=True)


async def evening(want: argparse.Namespace, folder: Path) -> int:
    broker: AnyBroker = Real(want.county) if want.county else Embedded()
    world = World(folder, broker, say)
    if want.nmea:
        world.walks = {unit: feed.recorded(want.nmea) for unit in (WALKER, VISITOR)}
    if want.gps:
        world.receiver = feed.open_receiver(want.gps)
    say(f"卡点页面 the staff's page: {world.desk}")
    async with world.running():
        code = (world.folder / "data/desk-first-code").read_text().strip()
        say(f"页面首次设置码 one-time code for its first account: {code}")
        if not want.once:
            say("Ctrl-C 结束 ends it")
            world.county.duty("all", "war")
            world.parts.dock()
            await asyncio.Event().wait()
        result = await Script(world, say).play()
    say(json.dumps(result))  # the last line: everything has ended
    return 0 if result["ok"] else 1


async def until_signal(want: argparse.Namespace, folder: Path) -> int:
    """End in order on Ctrl-C and SIGTERM: nothing may be left running."""
    task = asyncio.ensure_future(evening(want, folder))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        say("结束 ended")
        return 0


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--once", action="store_true", help="the 60 s script")
    ask.add_argument("--county", help="a real broker: mqtt://host or mqtts://host")
    ask.add_argument("--nmea", type=Path, help="replay a recorded log instead of the walk")
    ask.add_argument("--gps", help="a real receiver's serial port")
    ask.add_argument("--folder", type=Path, help="keep everything here")
    want = ask.parse_args()
    with contextlib.ExitStack() as ends:
        folder = want.folder or Path(
            ends.enter_context(
                tempfile.TemporaryDirectory(prefix="patrol-", ignore_cleanup_errors=True)
            )
        )
        folder.mkdir(parents=True, exist_ok=True)
        try:
            return asyncio.run(until_signal(want, folder.resolve()))
        except Asked as error:
            print(error, file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main())
