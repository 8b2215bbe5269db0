"""`x in ("a", "b")` of a linked program becomes `x == "a" or x == "b"`.

A tuple of constants is an object on the heap for ever, and so is each text in it that is no name;
comparisons are bytecode, which lies in the flash.
"""

from __future__ import annotations

import ast
from copy import deepcopy

from flashing.linker.join import Part


def spell_out(parts: list[Part]) -> None:
    """Change the parts in place, where asking `x` several times does nothing and costs little."""
    spelled = _Spelled()
    for part in parts:
        part.body = [spelled.visit(statement) for statement in part.body]


class _Spelled(ast.NodeTransformer):
    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        choices = node.comparators[0]
        if len(node.ops) != 1 or not isinstance(node.ops[0], ast.In | ast.NotIn):
            return node
        if not isinstance(choices, ast.Tuple) or len(choices.elts) < 2 or not _plain(node.left):
            return node
        if not all(_word(choice) for choice in choices.elts):
            return node
        among = isinstance(node.ops[0], ast.In)
        compared: list[ast.expr] = [
            ast.Compare(deepcopy(node.left), [ast.Eq() if among else ast.NotEq()], [choice])
            for choice in choices.elts
        ]
        return ast.copy_location(ast.BoolOp(ast.Or() if among else ast.And(), compared), node)


def _plain(node: ast.expr) -> bool:
    """A variable, or what stands at a constant place of one."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.slice, ast.Constant) and isinstance(node.value, ast.Name)
    return isinstance(node, ast.Name)


def _word(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str | int)
