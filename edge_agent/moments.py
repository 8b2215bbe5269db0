"""The times in a checkpoint's own messages: found by the contract's rows, so that a message that is
added there is covered here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from patrol_contract import messages
from patrol_contract.commands import UNIX
from patrol_contract.fields import Record, Rows

Fields = Mapping[str, Any]


def times(name: str, fields: Fields) -> Iterator[int]:
    """Every Unix time in it."""
    found: list[int] = []

    def note(at: int) -> int:
        found.append(at)
        return at

    _walk(messages.MESSAGES[name].fields, fields, note)
    yield from found


def mapped(name: str, fields: Fields, change: Callable[[int], int]) -> dict[str, Any]:
    """The same message with each of its times as `change` has it."""
    return _walk(messages.MESSAGES[name].fields, fields, change)


def _walk(rows: Any, fields: Fields, change: Callable[[int], int]) -> dict[str, Any]:
    out = dict(fields)
    for label, kind in rows.items():
        key = label.rstrip("?")
        value = out.get(key)
        if value is None:
            continue
        if kind is UNIX:
            out[key] = change(value)
        elif isinstance(kind, Record):
            out[key] = _walk(kind.fields, value, change)
        elif isinstance(kind, Rows) and isinstance(kind.of, Record):
            out[key] = [_walk(kind.of.fields, row, change) for row in value]
    return out
