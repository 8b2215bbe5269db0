"""Sentences of a linked program lie in one string, out of which each is cut when it is needed.

A string of more than ten characters is an object on the heap for ever, 20 bytes on 32 bits, though
its characters lie in the flash; a shorter one that is no word of MicroPython's own is a name, 9
bytes. What a person reads, what is formatted, a file's name: those are wanted seldom, or cost more
than the cutting.
"""

from __future__ import annotations

import ast
import re

from flashing.linker.join import ENTRY, Part
from flashing.linker.prune import HELD
from flashing.linker.scopes import Imports

POOL = "all sentences"  # until it gets its short name: one that no source can have
# Two characters and more, one of which no name has; what has many lines is a table, and long.
_SELDOM = re.compile(r"(?=..)(?!.*\n.*\n).*[ %{}()/.=<\r-].*", re.DOTALL)


def pool(parts: list[Part], names: set[str]) -> None:
    """Change the bodies of functions in place; `names` gains the string."""
    pooled = _Pool()
    for part in parts:
        for statement in part.body:
            for node in ast.walk(statement):
                if isinstance(node, ast.Lambda):
                    node.body = pooled.visit(node.body)
                elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    node.body = [pooled.visit(inner) for inner in node.body]
    main = next(part for part in parts if part.name == ENTRY)
    at = next(at for at, node in enumerate(main.body) if not isinstance(node, Imports))
    target = ast.Name(POOL, ast.Store())
    main.body.insert(at, ast.Assign([target], ast.Constant("".join(pooled.texts))))
    names.add(POOL)


class _Pool(ast.NodeTransformer):
    def __init__(self) -> None:
        self.texts: list[str] = []
        self._at: dict[str, int] = {}
        self._end = 0

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        text = node.value
        if not isinstance(text, str) or not _SELDOM.fullmatch(text) or node.kind == HELD:
            return node
        if not text.isascii():  # MicroPython counts characters from the start
            return node
        if text not in self._at:
            self._at[text] = self._end
            self.texts.append(text)
            self._end += len(text)
        first = self._at[text]
        cut = ast.Slice(ast.Constant(first), ast.Constant(first + len(text)))
        return ast.Subscript(ast.Name(POOL, ast.Load()), cut, ast.Load())

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return node  # its parts are no expressions
