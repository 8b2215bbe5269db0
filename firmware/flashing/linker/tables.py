"""Tables of functions (`HANDLERS[event](…)`) of a linked program, which may hold numbers."""

from __future__ import annotations

import ast
from dataclasses import dataclass


@dataclass
class Table:
    """A global dict that is only asked for a function to call, or whether it has a key."""

    literal: ast.Dict
    calls: list[ast.Call]

    @property
    def values(self) -> list[ast.expr]:
        return self.literal.values

    def replace(self, numbers: list[int], function: str) -> None:
        """Hold numbers; `TABLE[key](…)` becomes `function(TABLE[key], …)`."""
        self.literal.values = [ast.Constant(number) for number in numbers]
        for call in self.calls:
            call.args.insert(0, call.func)
            call.func = ast.Name(function, ast.Load())


def find(tree: ast.Module) -> list[Table]:
    """Every such table whose values are functions or methods by their name."""
    parent = {id(c): node for node in ast.walk(tree) for c in ast.iter_child_nodes(node)}
    reads: dict[str, list[ast.Name]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            reads.setdefault(node.id, []).append(node)
    found: list[Table] = []
    for statement in tree.body:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Dict):
            continue
        target, literal = statement.targets[0], statement.value
        if not isinstance(target, ast.Name) or not all(_names_one(v) for v in literal.values):
            continue
        calls: list[ast.Call] = []
        for read in reads.get(target.id, []):
            above = parent[id(read)]
            if isinstance(above, ast.Compare) and isinstance(above.ops[0], ast.In | ast.NotIn):
                continue
            call = parent[id(above)]
            if not (isinstance(above, ast.Subscript) and isinstance(call, ast.Call)):
                break
            if call.func is not above or above.value is not read:
                break
            calls.append(call)
        else:
            if calls and literal.values:
                found.append(Table(literal, calls))
    return found


def _names_one(value: ast.expr) -> bool:
    if isinstance(value, ast.Attribute):
        return isinstance(value.value, ast.Name)
    return isinstance(value, ast.Name)
