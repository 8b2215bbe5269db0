"""`checkpoint-agent check-config` and `config-schema`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from edge_agent import config, faults
from edge_agent.buses.port import present, why_not
from edge_agent.toml_lines import lines_of


def add_commands(subparsers: Any) -> None:
    """Adds both; each sets func(args) -> exit code."""
    check = subparsers.add_parser("check-config", help="all faults of agent.toml at once")
    check.add_argument(
        "config", type=Path, nargs="?", default=Path("/etc/checkpoint-agent/agent.toml")
    )
    check.set_defaults(func=check_config)
    schema = subparsers.add_parser("config-schema", help="JSON Schema of agent.toml, for editors")
    schema.set_defaults(func=config_schema)


def check_config(args: argparse.Namespace) -> int:
    """0 and a summary, or 2 and every fault on stderr. A port that is not plugged in is named
    here, though the agent would start without it and wait."""
    try:
        loaded = config.load(args.config)
    except config.ConfigError as exc:
        print(exc, file=sys.stderr)
        return 2
    absent = ports_not_there(loaded, args.config)
    for fault in absent:
        print(fault, file=sys.stderr)
    print(
        f"{args.config}: {len(loaded.bus)} bus, {len(loaded.sensor)} sensor,"
        f" {len(loaded.output)} output: "
        + ("配置正确 / correct" if not absent else "见上 / see above")
    )
    return 2 if absent else 0


def ports_not_there(loaded: config.Config, path: Path) -> list[faults.Fault]:
    lines = lines_of(path.read_text("utf-8-sig"))
    now = "现有 / there now: " + ("、".join(present()) or "-")
    raw = {"bus": [{"name": bus.name} for bus in loaded.bus]}
    return [
        faults.at(("bus", index, "port"), f"{why} ({now})", raw, lines, path)
        for index, bus in enumerate(loaded.bus)
        if (port := getattr(bus, "port", None)) and (why := why_not(port))
    ]


def config_schema(_args: argparse.Namespace) -> int:
    print(json.dumps(config.schema(), ensure_ascii=False, indent=2))
    return 0
