"""Which GPIO lines there are, and which one moves when somebody opens the door.

Only lines that nobody uses and that are inputs already are watched, and their pull resistor is left
as it is: a probe drives nothing.
"""

from __future__ import annotations

import argparse
import select
import time
from collections.abc import Callable
from typing import Any

import gpiod
from gpiod.line import Direction, Edge

CONSUMER = "checkpoint-agent probe"


def add(kinds: Any) -> None:
    ask = kinds.add_parser("gpio", help="哪根线在动 GPIO lines, and which of them moves")
    ask.add_argument("port", nargs="?", default="/dev/gpiochip0", metavar="chip")
    ask.add_argument("--seconds", type=float, default=30, help="how long to watch")
    ask.set_defaults(probe=probe)


def probe(args: argparse.Namespace, open_chip: Callable[[str], Any] = gpiod.Chip) -> str | None:
    """The block to paste, None if no line moved. Raises OSError where there is no chip."""
    with open_chip(args.port) as chip:
        lines = [chip.get_line_info(at) for at in range(chip.get_info().num_lines)]
        for info in lines:
            state = info.consumer if info.used else info.direction.name.lower()
            print(f"{info.offset:>4}  {info.name or '-':16} {state}")
        free = [i.offset for i in lines if not i.used and i.direction is Direction.INPUT]
        print("请动一下接点 / now move the contact …", flush=True)
        moved = watch(chip, free, args.seconds)
    return block(args.port, moved) if moved else None


def watch(chip: Any, lines: list[int], seconds: float) -> dict[int, int]:
    """Line -> how many edges it had."""
    settings = gpiod.LineSettings(direction=Direction.INPUT, edge_detection=Edge.BOTH)
    requests: dict[int, tuple[int, Any]] = {}
    moved: dict[int, int] = {}
    try:
        for line in lines:
            try:
                request = chip.request_lines({line: settings}, consumer=CONSUMER)
            except OSError:
                continue  # taken meanwhile, or without interrupts
            requests[request.fd] = (line, request)
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            for descriptor in select.select(list(requests), [], [], left)[0]:
                line, request = requests[descriptor]
                moved[line] = moved.get(line, 0) + len(request.read_edge_events())
                print(f"{line:>4}  {moved[line]} 次 edges", flush=True)
    except KeyboardInterrupt:
        print(" …")
    finally:
        for _, request in requests.values():
            request.release()
    return moved


def block(chip: str, moved: dict[int, int]) -> str:
    text = ["[[bus]]", 'name = "gpio"', 'kind = "gpio"', f'chip = "{chip}"']
    for line, edges in moved.items():
        text += ["", "[[sensor]]", f'id = "contact-{line}"', 'kind = "gpio"', 'bus = "gpio"']
        text += [f"line = {line}  # {edges} edges while watched"]
    return "\n".join(text)
