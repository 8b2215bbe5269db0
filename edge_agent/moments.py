"""The times in a checkpoint's own messages: found by the contract's rows, so that a message that is
added there is covered here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any

from patrol_contract import catalogue

Fields = Mapping[str, Any]


def times(name: str, fields: Fields) -> Iterator[int]:
    """Every Unix time in it."""
    for holder, key, kind in catalogue.present(name, fields):
        if kind == "Unix":
            yield holder[key]


def mapped(name: str, fields: Fields, change: Callable[[int], int]) -> dict[str, Any]:
    """The same message with each of its times as `change` has it."""
    out = deepcopy(dict(fields))
    for holder, key, kind in catalogue.present(name, out):
        if kind == "Unix":
            holder[key] = change(holder[key])
    return out
