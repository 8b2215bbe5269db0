"""Where a statement of a linked program came from: it is carried along by the statement itself."""

from __future__ import annotations

import ast

Origin = tuple[str, int]  # module, line; line 0: nowhere, the linker made it
_NOWHERE: Origin = ("", 0)


def mark(tree: ast.AST, module: str) -> None:
    """Every statement of a module remembers its place."""
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            setattr(node, "origin", (module, node.lineno))  # noqa: B010 (ast knows no such field)


def origin_of(node: ast.AST) -> Origin:
    """Where it came from."""
    return getattr(node, "origin", _NOWHERE)


def same(new: ast.AST, old: ast.AST) -> ast.AST:
    """`new` and all in it that has no place yet came from where `old` did; returns `new`."""
    for node in ast.walk(new):
        if isinstance(node, ast.stmt) and not hasattr(node, "origin"):
            setattr(node, "origin", origin_of(old))  # noqa: B010
    return new
