"""The rules of the boards, and `python -m hardware.check`, which says what breaks them.

A rule is a function from a board to sentences; RULES is the list. A sentence names the file, the
place and the remedy. Nothing is excused by hand: a rule that does not fit a board says why itself.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

from hardware import board_rules, box, fit, pin_rules, sources
from hardware.board import Board, load
from hardware.tables import BOARD_NAMES

Rule = Callable[[Board], Iterator[str]]
RULES: tuple[Rule, ...] = (
    pin_rules.pins_exist,
    pin_rules.pins_once,
    pin_rules.input_only,
    pin_rules.strapping,
    pin_rules.boot_noise,
    pin_rules.words,
    pin_rules.buses,
    pin_rules.wakes,
    board_rules.wired_as_mapped,
    board_rules.nets_whole,
    board_rules.bom_as_wired,
    board_rules.parts_known,
    board_rules.levels,
    board_rules.adc_range,
    board_rules.rails_rooted,
    board_rules.rails_hold,
    board_rules.bench_price,
    board_rules.drivers_served,
)


def faults(board: Board) -> list[str]:
    """Every broken rule of a board, each one sentence."""
    return [f"{board.name}: {text}" for rule in RULES for text in rule(board)]


def all_faults() -> list[str]:
    found = [text for name in BOARD_NAMES for text in faults(load(name))]
    return found + box.faults() + fit.faults() + sources.faults()


def main() -> int:
    found = all_faults()
    for text in found:
        print(text, file=sys.stderr)
    if not found:
        print(f"{len(BOARD_NAMES)} boards, the case and the checkpoint box keep all rules")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
