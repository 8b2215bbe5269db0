"""What `flash.sh check` asks, got by running its own table of checks against a double.

Each check runs twice: once on a unit where all is well (what it says and asks on the way), once
on a unit where all is wrong (the sentence of its failure). So the bring-up list cannot drift from
the program. A check that calls something new of the unit makes this fail: add its two answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from flashing import selftest
from flashing.repl import Repl
from flashing.technician import Technician
from hardware.tables import BOARD_NAMES, read_pins

# Function of the unit's half -> (answer of a good unit, answer of a bad one).
ANSWERS: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "who": (
        {"mac": "aa", "unit": "u-0000", "mpy": 6, "hashes": {}, "heap": 0},
        {"mac": "bb", "unit": "u-0000", "mpy": 6, "hashes": {}, "heap": 0},
    ),
    "gps": ({"heard": "$GNRMC", "fix": True}, {"heard": "", "fix": False}),
    "pressed": ({"down": True, "up": True}, {"down": False, "up": True}),
    "pulse": ({"pulsed": ""}, {"pulsed": ""}),
    "battery": ({"mv": 3900}, {"mv": 0}),
    "modem": ({"imei": "86", "iccid": "89"}, {"imei": "", "iccid": ""}),
    "line": ({"reach": "TLS"}, {"reach": "", "why": "no answer"}),
}
EXPECTED = selftest.Expected("aa", "u-0000", {}, "1.29.0", "6.3", set())


@dataclass(frozen=True)
class Item:
    """One line of the list."""

    name: str
    boards: tuple[str, ...]
    asks: tuple[str, ...]
    fails: str


@dataclass
class Listener:
    """A technician double: hears everything, says yes or no to all."""

    yes: bool
    heard: list[str] = field(default_factory=list[str])

    def ask(self, port: str, question: str, seconds: float) -> bool:
        self.heard.append(f"{question} ({seconds:.0f} s)")
        return self.yes

    def say(self, port: str, text: str) -> None:
        self.heard.append(text)

    def progress(self, port: str, text: str, part: float) -> None:
        """Not for the list."""


@dataclass
class Unit:
    """A REPL double that answers the unit's half."""

    good: bool
    port: str = ""

    def run(self, code: str, seconds: float = 0) -> str:
        name = code.removeprefix("selftest.").split("(")[0]
        return json.dumps(ANSWERS[name][0 if self.good else 1])


def outcome(run: Callable[[selftest.Bench], selftest.Outcome], good: bool) -> tuple[list[str], str]:
    """(what the person heard, the sentence at the end)."""
    person = Listener(good)
    bench = selftest.Bench(cast(Repl, Unit(good)), cast(Technician, person), EXPECTED)
    _, sentence, _ = run(bench)
    return person.heard, sentence


def items() -> list[Item]:
    signals = {name: {pin.signal for pin in read_pins(name)} for name in BOARD_NAMES}
    found: list[Item] = []
    for check in selftest.CHECKS:
        asks, _ = outcome(check.run, good=True)
        _, fails = outcome(check.run, good=False)
        boards = tuple(
            name for name in BOARD_NAMES if not check.signal or check.signal in signals[name]
        )
        found.append(Item(check.name, boards, tuple(asks), fails))
    return found
