"""The unit's program as few modules, before it is compiled: on MicroPython every name costs RAM.

Wherever the bytecode lies, each module, function, class, import and name is an object or an entry
of a table on the heap. So what flash.sh compiles is not the source as it stands:

    join       all modules become one, and one more for each driver that only some boards have
    prune      constants go where they are used; what nobody reaches goes
    choices    what is compared with a tuple is compared with each of it
    hoist      comprehensions become loops
    methods    methods that only share a name get names of their own (types, classes)
    lift       … and those that are only called become functions
    merge      many functions become cases of a few (case, frames, tables)
    bags       classes that are left without methods go
    sentences  what a person reads lies in one string
    short      what is left is called by few, short names

Each step changes syntax trees in place and knows the whole program; the figures are in
drivers/README.md. A traceback of a linked program names `unit_main` and a line of it;
`Linked.origin` is the way back (flash.sh trace).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from flashing.linker import choices, hoist, lift, merge, methods, prune, sentences, short
from flashing.linker.join import ENTRY, Joined, Part
from flashing.linker.origins import Origin, origin_of
from flashing.linker.scopes import Definitions


@dataclass(frozen=True)
class Linked:
    """One module: its text, and for each line (from 1) the (module, line) it was made of."""

    text: str
    origin: dict[int, Origin]


def link(texts: dict[str, str], entry: str = ENTRY) -> dict[str, Linked]:
    """Return module name -> what to compile, of the program (name -> source) started by `entry`.

    `entry` becomes ENTRY, and the name `run` in it stays.
    """
    joined = Joined(texts, entry)
    names = joined.globals
    prune.fold(joined.parts, names)
    prune.shake(joined.parts, names)
    choices.spell_out(joined.parts)
    hoist.hoist(joined.parts)
    methods.tell_apart(joined.parts)
    attributes = short.Attributes(joined.parts)
    lift.lift(joined.parts, names)
    merge.merge(joined.parts, names)
    sentences.pool(joined.parts, names)
    _introduce(joined.parts, names)
    short.shorten(joined.parts, names, attributes)
    return {part.name: _written(part) for part in joined.parts}


def _introduce(parts: list[Part], names: set[str]) -> None:
    """Let each part import what it uses of the first one."""
    home = {name: part.name for part in parts for s in part.body for name in _defined(s)}
    for part in parts:
        used = {n.id for s in part.body for n in ast.walk(s) if isinstance(n, ast.Name)}
        for other in parts:
            far = sorted(n for n in used & names if home.get(n, part.name) == other.name)
            if far and other is not part:
                part.body.insert(0, ast.ImportFrom(other.name, [ast.alias(n) for n in far], 0))


def _defined(statement: ast.stmt) -> Iterator[str]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
    if isinstance(statement, Definitions):
        yield statement.name


def _written(part: Part) -> Linked:
    tree = ast.fix_missing_locations(ast.Module(part.body, []))
    text = ast.unparse(tree) + "\n"
    origin: dict[int, Origin] = {}
    for old, new in zip(_statements(tree), _statements(ast.parse(text)), strict=True):
        if origin_of(old)[1]:
            origin.setdefault(new.lineno, origin_of(old))
    return Linked(text, origin)


def _statements(tree: ast.Module) -> list[ast.stmt]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
