"""`falls`: made accelerometer traces of falls, and of what is none, through the table (rung 1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from motion_traces import FALLS, NO_FALLS, Dice

from body_unit.fall import Fall

Trace = Callable[[Dice], Iterable[tuple[int, int, int]]]


def measure(each: int) -> dict[str, Any]:
    """{falls, found, others, false_alarms} over `each` variants of every kind of trace."""
    found = sum(_calls(trace, seed) == 1 for trace in FALLS for seed in range(each))
    false = sum(_calls(trace, seed) for trace in NO_FALLS for seed in range(each))
    return {
        "falls": each * len(FALLS),
        "found": found,
        "others": each * len(NO_FALLS),
        "false_alarms": false,
    }


def _calls(trace: Trace, seed: int) -> int:
    judge = Fall()
    return sum(judge.feed(*sample) for sample in trace(Dice(seed)))
