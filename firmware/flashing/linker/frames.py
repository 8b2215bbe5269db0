"""About how many words MicroPython's frame of a function takes: its variables and its stack.

An estimate from above; tests compare it with what mpy-cross says.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from flashing.linker.scopes import own

_LOOP = 4  # words that `for` keeps on the stack while it runs
_TRY = 3  # of an exception handler, beside the stack


@dataclass(frozen=True)
class Frame:
    """Variables, deepest stack, handlers of exceptions inside each other."""

    variables: int
    stack: int
    handlers: int

    @property
    def words(self) -> int:
        return self.variables + self.stack + _TRY * self.handlers

    def joined(self, other: Frame) -> Frame:
        """Of a function that may do either."""
        return Frame(
            max(self.variables, other.variables),
            max(self.stack, other.stack),
            max(self.handlers, other.handlers),
        )


def frame(function: ast.FunctionDef) -> Frame:
    names = {a.arg for a in function.args.args}
    for node in own(function.body):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
    return Frame(len(names), _block(function.body), _handlers(function.body))


def _handlers(body: list[ast.stmt]) -> int:
    deepest = 0
    for statement in body:
        inner = 0
        for block in ("body", "orelse", "finalbody"):
            inner = max(inner, _handlers(getattr(statement, block, None) or []))
        for handler in getattr(statement, "handlers", ()):
            inner = max(inner, _handlers(handler.body))
        if isinstance(statement, ast.Try):
            named = any(handler.name for handler in statement.handlers)
            inner += 1 + bool(named or (statement.finalbody and statement.handlers))
        elif isinstance(statement, ast.With):
            inner += 1
        deepest = max(deepest, inner)
    return deepest


def _block(body: list[ast.stmt]) -> int:
    return max([_statement(statement) for statement in body], default=0)


def _statement(node: ast.stmt) -> int:
    own_words = max(
        [_depth(e) for e in ast.iter_child_nodes(node) if isinstance(e, ast.expr)] or [0]
    )
    if isinstance(node, ast.Assign):
        own_words = _depth(node.value) + max(_target(t) for t in node.targets)
    elif isinstance(node, ast.AugAssign):
        own_words = 2 + _depth(node.target) + _depth(node.value)
    inner = max(
        _block(getattr(node, block, None) or []) for block in ("body", "orelse", "finalbody")
    )
    for handler in getattr(node, "handlers", ()):
        inner = max(
            inner, 2 + _block(handler.body), 2 + (_depth(handler.type) if handler.type else 0)
        )
    if isinstance(node, ast.For):
        inner = max(inner + _LOOP, _target(node.target) + _LOOP + 1)
    elif isinstance(node, ast.With):
        inner += 4
        own_words = max(_depth(item.context_expr) for item in node.items) + 4
    elif isinstance(node, ast.Try):
        inner += 2  # to leave it by a return
    return max(own_words, inner)


def _target(node: ast.expr) -> int:
    if isinstance(node, ast.Tuple):
        return len(node.elts) + max(_target(e) for e in node.elts)
    if isinstance(node, ast.Attribute):
        return _depth(node.value)
    if isinstance(node, ast.Subscript):
        return _depth(node.value) + _depth(node.slice)
    return 0


def _depth(node: ast.expr) -> int:
    """Deepest stack while the value of `node` is made, that value included."""
    match node:
        case ast.Call():
            # As it will be if what it calls becomes a case: with a number before all else.
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            made = name.lstrip("_")[:1].isupper()  # it may become one that is given a bag
            at = 3 if made or isinstance(node.func, ast.Attribute | ast.Subscript) else 2
            deepest = _depth(node.func) + 2
            for argument in node.args:
                deepest = max(deepest, at + _depth(argument))
                at += 1
            for keyword in node.keywords:
                deepest = max(deepest, at + 1 + _depth(keyword.value))
                at += 2
            return deepest + any(isinstance(a, ast.Starred) for a in node.args) * 2
        case ast.Dict():
            pairs = zip(node.keys, node.values, strict=True)
            return 2 + max([max(_depth(v), 1 + _depth(k or v)) for k, v in pairs], default=0)
        case ast.JoinedStr():  # MicroPython makes it "{}{}".format(…)
            return 2 + max([at + _depth(v) for at, v in enumerate(node.values)], default=0)
        case ast.Compare() | ast.BinOp() | ast.BoolOp() | ast.Subscript():
            children = [c for c in ast.iter_child_nodes(node) if isinstance(c, ast.expr)]
            chained = isinstance(node, ast.Compare) and len(node.ops) > 1
            return max(at + _depth(c) for at, c in enumerate(children)) + chained
        case ast.Tuple() | ast.List() | ast.Set() | ast.Slice():
            children = [c for c in ast.iter_child_nodes(node) if isinstance(c, ast.expr)]
            return max([at + _depth(c) for at, c in enumerate(children)], default=0) + 1
        case _:
            children = [c for c in ast.iter_child_nodes(node) if isinstance(c, ast.expr)]
            return max([_depth(c) for c in children], default=0) + (not children)
