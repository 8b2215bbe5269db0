"""checkpoint-agent: run the agent, and look into it. Each room brings its own subcommands.

Exit codes: 0 well, 1 something is wrong, 2 asked or configured wrongly (one sentence says what).
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge_agent import app, config, config_check, orders, outbox_cli, probe
from edge_agent.docks import cli as docks_cli

DEFAULT = Path("/etc/checkpoint-agent/agent.toml")

# Rooms with subcommands: each function adds them, with func=callable(args) -> exit code.
ROOMS: list[Callable[[Any], None]] = [
    config_check.add_commands,
    probe.add_commands,
    docks_cli.add_commands,
    outbox_cli.add_commands,
]


def run(want: argparse.Namespace) -> int:
    """`run`: the agent until SIGTERM or Ctrl-C."""
    logging.basicConfig(level=want.log.upper(), format="%(levelname)s %(name)s: %(message)s")
    try:
        asyncio.run(until_signal(config.load(want.config), want.config))
    except config.ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    except app.CannotStart as error:
        print(f"checkpoint-agent: {error}", file=sys.stderr)
        if orders.take_back(want.config):
            print("县里发来的配置已退回 / the county's agent.toml is taken back", file=sys.stderr)
        return 2
    return 0


async def until_signal(settings: config.Config, toml: Path) -> None:
    """Run the agent; SIGTERM and SIGINT end it in order."""
    agent = asyncio.ensure_future(app.run(settings, toml))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, agent.cancel)
    try:
        await agent
    except asyncio.CancelledError:
        logging.getLogger(__name__).info("stopped")


def arguments() -> argparse.ArgumentParser:
    ask = argparse.ArgumentParser("checkpoint-agent", description=__doc__)
    kinds = ask.add_subparsers(required=True, metavar="COMMAND")
    main_job = kinds.add_parser("run", help="运行 run the agent (what systemd starts)")
    main_job.add_argument("-c", "--config", type=Path, default=DEFAULT)
    main_job.add_argument("--log", default="info", choices=["debug", "info", "warning", "error"])
    main_job.set_defaults(func=run)
    for add_commands in ROOMS:
        add_commands(kinds)
    return ask


def main() -> int:
    """Entry point `checkpoint-agent`."""
    want = arguments().parse_args()
    return want.func(want)


if __name__ == "__main__":
    sys.exit(main())
