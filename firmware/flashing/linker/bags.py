"""Classes of a linked program that are left without methods: their objects become plain bags.

A class costs 120 bytes of heap on 32 bits. When all that it had are cases of other functions
(merge), and nobody asks what an object is an instance of, one class without anything serves
for all of them: `Track(unit)` becomes `cases(5, Bag(), unit)`, and that case gives the bag back.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flashing.linker.case import Case, is_plain
from flashing.linker.join import Part
from flashing.linker.origins import same
from flashing.linker.tables import Table

BAG = "a bag"  # until it gets its short name: one that no source can have


def the_class() -> ast.stmt:
    """The class of all bags."""
    return ast.ClassDef(BAG, [], [], [ast.Pass()], [])


def emptied(
    main: Part, tree: ast.Module, cases: dict[str, Case], tables: list[Table]
) -> Iterator[Case]:
    """For each class that is left without methods the case that begins an object of it."""
    plain = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    plain |= {id(node) for table in tables for value in table.values for node in ast.walk(value)}
    handed = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in plain
    }
    handed |= {a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names}
    for node in main.body:
        if not isinstance(node, ast.ClassDef) or node.bases or node.name in handed:
            continue
        if all(_goes(member, cases) for member in node.body):
            yield Case(node.name, _beginning(node), node, makes=True)


def _goes(member: ast.stmt, cases: dict[str, Case]) -> bool:
    if isinstance(member, ast.FunctionDef):
        if member.name == "__init__":
            return is_plain(member)
        return "." + member.name in cases
    if isinstance(member, ast.Assign):
        return isinstance(member.value, ast.Constant) and isinstance(member.targets[0], ast.Name)
    return isinstance(member, ast.Pass)


def _beginning(node: ast.ClassDef) -> ast.FunctionDef:
    """__init__ as a function that gives its object back, with what was the class's put in first."""
    start = next((m for m in node.body if getattr(m, "name", "") == "__init__"), None)
    if start is None:
        given = ast.arguments([], [ast.arg("self")], None, [], [], None, [])
        start = ast.FunctionDef("__init__", given, [], [], None, None)
    assert isinstance(start, ast.FunctionDef)
    me = start.args.args[0].arg
    body: list[ast.stmt] = []
    for member in node.body:
        if isinstance(member, ast.Assign):
            for target in member.targets:
                assert isinstance(target, ast.Name)
                own = ast.Attribute(ast.Name(me, ast.Load()), target.id, ast.Store())
                body.append(ast.Assign([own], member.value))
    for inner in [n for statement in start.body for n in ast.walk(statement)]:
        if isinstance(inner, ast.Return):
            inner.value = ast.Name(me, ast.Load())
    body += [*start.body, ast.Return(ast.Name(me, ast.Load()))]
    for statement in body:
        same(statement, node)
    return ast.FunctionDef(node.name, start.args, body, [], None, None)
