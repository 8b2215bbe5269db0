"""Methods that share a name and nothing else get a name for each class of a linked program.

`sos.tick()` and `watch.tick()` call different functions, and where the text tells which (types.py)
each can have a name that is its own. Where it does not, as for the parts of a list, all methods of
that name keep it. Classes that inherit from each other share a method's name, as they must.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from flashing.linker.join import Part, reachable
from flashing.linker.learn import Program
from flashing.linker.scopes import has_foreign_base
from flashing.linker.short import KNOWN, asked
from flashing.linker.types import ANY


def tell_apart(parts: list[Part]) -> None:
    """Rename in place."""
    tree = reachable(parts)
    program = Program(tree)
    methods = {
        name for owner in program.classes for name in program.members(owner) if name[:2] != "__"
    }
    uses: dict[str, list[tuple[ast.Attribute, frozenset[str]]]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in methods:
            uses.setdefault(node.attr, []).append((node, _whose(node, program)))
    kept = set(_functions_in_tuples(program)) | KNOWN & set(_for_others(program))
    for name in sorted(methods - set(asked(tree)) - kept):
        if all(types and ANY not in types for _, types in uses.get(name, ())):
            _rename(name, uses.get(name, []), program)


def _functions_in_tuples(program: Program) -> Iterable[str]:
    """Fields of namedtuples that hold a function, which is called like a method."""
    for node in program.nodes:
        if isinstance(node, ast.Call) and ast.unparse(node.func) in program.tuples:
            names = program.tuples[ast.unparse(node.func)]
            given = [*zip(names, node.args, strict=False)]
            given += [(k.arg or "", k.value) for k in node.keywords]
            yield from (name for name, value in given if program.is_function(value))


def _for_others(program: Program) -> Iterable[str]:
    """Methods that a class of somebody else's may call, in the classes that inherit from it."""
    for owner, node in program.classes.items():
        if has_foreign_base(node, program.classes):
            yield from program.members(owner)


def _whose(node: ast.Attribute, program: Program) -> frozenset[str]:
    if isinstance(node.value, ast.Name) and node.value.id in program.classes:
        return frozenset([node.value.id])
    if ast.unparse(node.value) == "super()":
        return frozenset([ANY])
    return program.owners(node)


def _rename(name: str, uses: list[tuple[ast.Attribute, frozenset[str]]], program: Program) -> None:
    group: dict[str, str] = {}  # class that has such a method -> the one that names its group

    def join(owners: Iterable[str]) -> None:
        old = {group.setdefault(owner, owner) for owner in owners}
        for owner, of in group.items():
            if of in old:
                group[owner] = min(old)

    for owner in program.classes:
        if name in program.members(owner):
            join(o for o in program.ancestors(owner) if name in program.members(o))
    for _, types in uses:
        found = {method[0] for t in types if (method := program.method(t, name))}
        if found and len({t for t in types if program.method(t, name) is None}):
            return  # some of those objects have an attribute of that name instead
        join(found)
    for node, types in uses:
        owners = [method[0] for t in types if (method := program.method(t, name))]
        if owners:
            node.attr = f"{name}_of_{group[owners[0]]}"
    for owner in group:
        program.members(owner)[name].name = f"{name}_of_{group[owner]}"  # type: ignore[attr-defined]
