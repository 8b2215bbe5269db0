"""A module of a program as it is read: without what a unit never needs of it."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field

from flashing.linker.origins import mark, same
from flashing.linker.scopes import Scopes

ENTRY = "unit_main"  # what is started; its name as a module on the unit


@dataclass
class Module:
    name: str
    tree: ast.Module
    scopes: Scopes
    part: str = ""
    names: dict[str, str] = field(default_factory=dict)  # its globals' names in the whole program


def read(name: str, text: str, bare: Bare) -> Module:
    tree = ast.parse(text)
    mark(tree, name)
    bare.visit(tree)
    return Module(name, tree, Scopes(tree))


class Bare(ast.NodeTransformer):
    """Without what the unit never reads: annotations, doc strings, what needs a missing module."""

    def __init__(self, modules: Iterable[str]) -> None:
        self._modules = set(modules)
        self._packages = {name.split(".")[0] for name in modules if "." in name}

    def visit_Try(self, node: ast.Try) -> ast.AST | list[ast.stmt]:
        first = node.body[0]
        if isinstance(first, ast.ImportFrom) and self._is_missing(first.module or ""):
            return [statement for handler in node.handlers for statement in handler.body]
        return self.generic_visit(node)

    def _is_missing(self, module: str) -> bool:
        ours = module.split(".")[0] in self._packages
        return module == "typing" or (ours and module not in self._modules)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return None
        new = ast.Assign([node.target], self.visit(node.value))
        return same(ast.copy_location(new, node), node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        self.generic_visit(node)
        node.body = node.body or [ast.copy_location(ast.Pass(), node)]
        return node

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        if isinstance(node.value, ast.Constant):
            return None
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self.generic_visit(node)
        node.body = node.body or [ast.copy_location(ast.Pass(), node)]
        return node

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt] | None:
        self.generic_visit(node)
        test = node.test
        if isinstance(test, ast.Compare) and ast.unparse(test.left) == "__name__":
            said = test.comparators[0]
            assert isinstance(said, ast.Constant) and len(test.ops) == 1
            same = said.value == ENTRY
            holds = same if isinstance(test.ops[0], ast.Eq) else not same
            return node.body if holds else node.orelse
        return node
