"""A shortened program does what the program did, line by line where it was, with fewer names."""

from __future__ import annotations

import ast
import sys
from types import ModuleType
from typing import Any

from flashing import app, lean
from tests.fakes.rom import GPS_LIBRARY, ROOT

POWER = '''\
"""Constants."""
TICK_MS = 1_500  # 滴答
LOW, SLOW = 1, 1_400 + 100
HIGH = SLOW * 2
A, B, C = range(3)
_STEPS = (1, 2)
FAR = 1 << 40
TIMES = 0


def count():
    global TIMES
    TIMES += 1
    return TIMES
'''

BASE = """\
import power
from power import (
    HIGH,
    TICK_MS,
    count,
)


class Base:
    def __init__(self, first, second=2, named=3):
        self._first = first
        self._second = second
        self.named = named
        self.open = "首" and self._first

    def total(self, extra):
        def inner(more):
            return more + extra + self._first

        return inner(TICK_MS) + sum([extra + item for item in (1, 2)])


def _twice(value):
    return f"{value}/{TICK_MS}" if value else _half(value)


def _half(value): return -power.LOW
"""

MAIN = """\
from base import Base, _twice
from power import B, C, HIGH as MOST


class Child(Base):
    def __init__(self):
        super().__init__(5, named=7)
        self._third = self._first + B


def run():
    child = Child()
    nothing = getattr(child, "open")
    return [child.total(10), child._third, child._second, child.named, _twice(3), _twice(0),
            MOST, C, nothing, child._first]
"""
PROGRAM = {"power": POWER, "base": BASE, "main": MAIN}


def run(program: dict[str, str]) -> Any:
    kept = {name: sys.modules.pop(name, None) for name in program}
    try:
        for name, text in program.items():
            sys.modules[name] = module = ModuleType(name)
            exec(compile(text, name, "exec"), module.__dict__)  # noqa: S102 (our own text, above)
        return sys.modules["main"].run()
    finally:
        for name, module in kept.items():
            sys.modules.pop(name)
            if module is not None:
                sys.modules[name] = module


def identifiers(text: str) -> set[str]:
    nodes = list(ast.walk(ast.parse(text)))
    return {n.id for n in nodes if isinstance(n, ast.Name)} | {
        n.attr for n in nodes if isinstance(n, ast.Attribute)
    }


def test_it_does_the_same() -> None:
    assert run(lean.shorten(PROGRAM)) == run(PROGRAM)


def test_every_line_stays_where_it_is() -> None:
    for name, text in lean.shorten(PROGRAM).items():
        assert text.count("\n") == PROGRAM[name].count("\n")
    lines = lean.shorten(PROGRAM)["base"].split("\n")
    assert lines[-2].endswith("return -1")


def test_numbers_parameters_and_private_names_go() -> None:
    short = lean.shorten(PROGRAM)
    assert not {"LOW", "SLOW", "B", "C"} & identifiers(short["power"])
    assert not {"_first", "_second", "extra", "more", "_half"} & identifiers(short["base"])
    assert "首" in short["base"]


def test_what_may_be_asked_for_stays() -> None:
    short = lean.shorten(PROGRAM)
    assert "HIGH" in identifiers(short["power"])  # imported under another name
    assert "TICK_MS" in identifiers(short["base"])  # in an f-string
    assert {"named", "open"} <= identifiers(short["base"])  # a keyword; asked for by a string
    assert "def run" in short["main"]  # nothing here imports it: somebody outside does


def test_a_class_and_its_heir_do_not_share_a_short_name() -> None:
    short = lean.shorten(PROGRAM)
    mine = {name for name in identifiers(short["main"]) if name.startswith("_")}
    theirs = {name for name in identifiers(short["base"]) if name.startswith("_")}
    assert mine - theirs - {"__init__", "_twice"}, "_third took a name of its base's"


def test_the_unit_needs_no_large_table_of_names() -> None:
    """Every other name of the program is an entry of MicroPython's table: 1,270 fit below 8 KB."""
    sources = app.collect(ROOT / "firmware", GPS_LIBRARY)
    texts = {path: source.read_text("utf-8") for path, source in sources.items()}
    before = set().union(*[identifiers(text) for text in texts.values()])
    after = set().union(*[identifiers(text) for text in lean.shorten(texts).values()])
    assert len(after) < len(before) * 0.7
