"""On which line of a TOML file a key stands. tomllib keeps no places, and a fault needs one.

The text has been accepted by tomllib before, so the scanner only finds keys; it checks nothing.
"""

from __future__ import annotations

import re

Place = tuple[str | int, ...]  # ("sensor", 2, "alarm", "high")

_PART = r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\])*"|'[^']*')"""
_KEY = re.compile(rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*")
_SKIP = re.compile(r"(?:[ \t\r\n]+|\#[^\n]*)*")
# What a value is made of: strings first, because brackets and # inside them mean nothing.
_VALUE = re.compile(
    r'''"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|\#[^\n]*|[\[{]|[\]}]|\n|[^"'\#\[\]{}\n]+''',
    re.S,
)


def lines_of(text: str) -> dict[Place, int]:
    """Every table and key -> its line, from 1."""
    found: dict[Place, int] = {}
    counts: dict[Place, int] = {}  # tables so far in each array of tables
    table: Place = ()
    at = 0
    while (at := _end(_SKIP.match(text, at), at)) < len(text):
        line = text.count("\n", 0, at) + 1
        brackets = 2 if text.startswith("[[", at) else int(text[at] == "[")
        at = _end(_SKIP.match(text, at + brackets), at)
        key = _KEY.match(text, at)
        if key is None:
            return found
        names = [_plain(part) for part in re.findall(_PART, key[0])]
        at = key.end()
        if brackets:
            for depth in range(1, len(names)):
                found.setdefault(_descend(names[:depth], counts), line)
            table = _descend(names[:-1], counts)
            if brackets == 2:
                array = (*table, names[-1])
                counts[array] = counts.get(array, -1) + 1
                found.setdefault(array, line)
                table = (*array, counts[array])
            else:
                table = _descend(names, counts)
            found[table] = line
            at = _after_value(text, at)  # past "]" and a comment
        else:
            for depth in range(1, len(names) + 1):
                found.setdefault((*table, *names[:depth]), line)
            at = _after_value(text, at)
    return found


def nearest(found: dict[Place, int], place: Place) -> int:
    """The line of `place`, or of the nearest table around it."""
    while place:
        if place in found:
            return found[place]
        place = place[:-1]
    return 1


def _end(match: re.Match[str] | None, at: int) -> int:
    return match.end() if match else at


def _plain(part: str) -> str:
    return part[1:-1] if part[0] in "\"'" else part


def _descend(names: list[str], counts: dict[Place, int]) -> Place:
    """[sensor.alarm] belongs to the last [[sensor]] so far."""
    place: Place = ()
    for name in names:
        place = (*place, name)
        if place in counts:
            place = (*place, counts[place])
    return place


def _after_value(text: str, at: int) -> int:
    depth = 0
    while at < len(text):
        token = _VALUE.match(text, at)
        if token is None:
            return len(text)
        at = token.end()
        if token[0] in "[{":
            depth += 1
        elif token[0] in "]}":
            depth = max(depth - 1, 0)
        elif token[0] == "\n" and depth == 0:
            return at
    return at
