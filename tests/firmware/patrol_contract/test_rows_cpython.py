"""The rows themselves: well formed, and every word in them understood."""

from __future__ import annotations

import re

import pytest

from patrol_contract import catalogue, rows
from patrol_contract.catalogue import HEADS, MESSAGES
from tests.tools.render_messages import WORDS

HEAD = re.compile(
    r"\n[a-z_]+: \S+ from (unit|checkpoint|county) qos [01] klass [012]( retain)?$"
    r"|\n[a-z_]+: object$"
    r"|\n(unit|checkpoint)\.[a-z_]+: command$"
)
LINE = re.compile(r"    ([\w]+\??: \S+( of \S+)?(  \S.*)?|\+ [a-z_]+|! \S.*)$")


@pytest.mark.parametrize("number", range(len(rows.TEXTS)))
def test_heads_and_lines(number: int) -> None:
    text = rows.TEXTS[number].decode()
    assert text.startswith("\n") and text.endswith("\n") and "\t" not in text
    for row in text[:-1].split("\n\n"):
        head, *lines = row.lstrip("\n").split("\n")
        assert HEAD.match("\n" + head), head
        for line in lines:
            assert LINE.match(line), line


def test_no_name_is_given_twice() -> None:
    names = re.findall(rb"^([a-z_.]+): ", b"".join(rows.TEXTS), re.M)
    assert len(names) == len(set(names)) == len(HEADS)


@pytest.mark.parametrize("name", HEADS)
def test_every_kind_is_known_and_no_field_stands_twice(name: str) -> None:
    keys = []
    for key, kind, _ in catalogue.lines(name):
        if key == "!":
            for word in re.split(r" or | when .*", kind):
                assert not word or word + "?" in keys, kind
            continue
        assert key not in keys
        keys.append(key)
        if kind.startswith("List("):
            kind = kind.split(" of ", 1)[1]
        known = any(re.fullmatch(pattern, kind) for pattern, _ in WORDS)
        if kind.startswith("Command("):
            assert catalogue.commands(kind[8:-1])
        elif not known and not re.fullmatch(r"One\([a-z0-9,-]+\)", kind):
            assert HEADS[kind] == "object"
        for ends in re.findall(r"\((?:\d,)?(-?\d+),(-?\d+)\)", kind):
            assert int(ends[0]) <= int(ends[1])
    if name in MESSAGES:
        assert {"v", "boot", "seq"} <= set(keys)


def test_the_fields_of_an_object_are_found_at_any_depth() -> None:
    fields = {"date": "2026-11-21", "on": [{"who": "a", "since": 5}, {"who": "b", "since": 6}]}
    found = [
        (key, kind, holder[key]) for holder, key, kind in catalogue.present("cp_shift", fields)
    ]
    assert [value for key, kind, value in found if kind == "Unix"] == [5, 6]
    command = {"cmd": "plan", "points": [{"from": 7}]}
    times = [h[k] for h, k, kind in catalogue.present("unit_cmd", command) if kind == "Unix"]
    assert times == [7]
