"""`checkpoint-agent probe modbus|serial|gpio|gps`: what is connected, as TOML to paste.

checkpoint-agent probe modbus /dev/serial/by-id/usb-…
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from edge_agent.buses.port import present, why_not
from edge_agent.probes import gpio, gps, modbus, serial


def add_commands(subparsers: Any) -> None:
    """Adds `probe`; it sets func(args) -> exit code: 0 found, 1 nothing found, 2 cannot look."""
    ask = subparsers.add_parser("probe", help="看看接了什么 what is connected, as TOML to paste")
    kinds = ask.add_subparsers(required=True, metavar="WHAT")
    for probe in (modbus, serial, gpio, gps):
        probe.add(kinds)
    ask.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    is_port = args.probe is not gpio.probe
    if is_port and (why := why_not(args.port)):
        there = "\n".join(present()) or "-"
        print(f"{why}\n现有 / there now:\n{there}", file=sys.stderr)
        return 2
    try:
        block: str | None = args.probe(args)
    except OSError as exc:  # busy, not a serial port, no such chip
        print(f"打不开 {args.port} / cannot open {args.port}: {exc}", file=sys.stderr)
        return 2
    if block is None:
        print("没有应答，检查接线（A/B）、电源、波特率 / nothing: check wires (A/B), power, baud")
        return 1
    print(f"\n# ---- 粘贴到 agent.toml / paste into agent.toml ----\n{block}")
    return 0
