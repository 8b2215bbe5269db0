"""The unit's program as few modules, before it is compiled: on MicroPython every name costs RAM.

Wherever the bytecode lies, each module, function, class, import and name is an object or an entry
of a table on the heap. So what flash.sh compiles is not the source as it stands:

    link_join    all modules become one, with a second one for each driver that only some boards have
    link_prune   constants go where they are used; what nobody reaches goes
    link_short   what is left is called by few, short names

A traceback of a linked program names `unit_main` and a line of it; `Linked.origin` is the way back.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from flashing import link_hoist, link_lift, link_merge, link_methods, link_prune, link_short, link_text
from flashing.link_join import ENTRY, Joined, Part
from flashing.link_scopes import Definitions


@dataclass(frozen=True)
class Linked:
    """One module: its text, and for each line (from 1) the (module, line) it was made of."""

    text: str
    origin: dict[int, tuple[str, int]]


def link(texts: dict[str, str], entry: str = ENTRY) -> dict[str, Linked]:
    """Return module name -> what to compile, of the program (name -> source) started by `entry`.

    `entry` becomes ENTRY, and the name `run` in it stays.
    """
    joined = Joined(texts, entry)
    names = joined.globals
    link_prune.fold(joined.parts, names)
    link_prune.shake(joined.parts, names)
    link_hoist.hoist(joined.parts)
    link_methods.tell_apart(joined.parts)
    attributes = link_short.Attributes(joined.parts)
    link_lift.lift(joined.parts, names)
    link_merge.merge(joined.parts, names)
    link_text.pool(joined.parts, names)
    _introduce(joined.parts, names)
    link_short.shorten(joined.parts, names, attributes)
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
    origin: dict[int, tuple[str, int]] = {}
    for old, new in zip(_statements(tree), _statements(ast.parse(text)), strict=True):
        if hasattr(old, "origin"):
            origin.setdefault(new.lineno, old.origin)
    return Linked(text, origin)


def _statements(tree: ast.Module) -> list[ast.stmt]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
