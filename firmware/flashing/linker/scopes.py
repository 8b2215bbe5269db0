"""Which names of a module are its globals, and where each stands (by Python's scoping rules)."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator
from dataclasses import dataclass, field

Functions = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Definitions = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Comprehensions = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
Imports = ast.Import | ast.ImportFrom


@dataclass(frozen=True)
class Place:
    """Where an identifier stands: `attr` of `node`; `index` where that is a list of names."""

    node: ast.AST
    attr: str
    index: int = -1

    def rename(self, name: str) -> None:
        if self.index >= 0:
            getattr(self.node, self.attr)[self.index] = name
        else:
            setattr(self.node, self.attr, name)

    @property
    def binds(self) -> bool:
        """Whether the global gets a value here."""
        ctx = getattr(self.node, "ctx", None)
        return not isinstance(ctx, ast.Load) and not isinstance(self.node, ast.Global)


@dataclass
class _Scope:
    node: ast.AST
    names: set[str] = field(default_factory=set)  # bound here
    outer: set[str] = field(default_factory=set)  # declared global
    seen_inside: bool = True  # False: a class, whose names its functions do not see


class Scopes:
    """`globals`: name -> its places; `locals`: every name that is bound anywhere else."""

    def __init__(self, tree: ast.Module) -> None:
        self.globals: dict[str, list[Place]] = {}
        self.locals: set[str] = set()
        self._module = _bound(tree, tree.body)
        for node in ast.walk(tree):
            if isinstance(node, ast.Global):
                self._module.names.update(node.names)
        for statement in tree.body:
            self._visit(statement, [])

    def _visit(self, node: ast.AST, scopes: list[_Scope]) -> None:
        match node:
            case ast.Name():
                self._note(node.id, Place(node, "id"), scopes)
            case ast.Global():
                for index, name in enumerate(node.names):
                    self._put(name, Place(node, "names", index))
            case ast.ExceptHandler() if node.name:
                self._note(node.name, Place(node, "name"), scopes)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._note(node.name, Place(node, "name"), scopes)
            case _:
                pass
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                outside: list[ast.AST | None] = [*node.args.defaults, *node.args.kw_defaults]
                outside += getattr(node, "decorator_list", [])
                body = [node.body] if isinstance(node, ast.Lambda) else node.body
                inner = _bound(node, body)
                inner.names |= {a.arg for a in arguments(node)}
                self._enter(outside, body, scopes, inner)
            case ast.ClassDef():
                inner = _bound(node, node.body)
                inner.seen_inside = False
                outside = [*node.bases, *node.keywords, *node.decorator_list]
                self._enter(outside, node.body, scopes, inner)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                inner = _Scope(node)
                for generator in node.generators:
                    targets = [n for n in ast.walk(generator.target) if isinstance(n, ast.Name)]
                    inner.names |= {target.id for target in targets}
                first = node.generators[0].iter
                rest = [n for n in ast.iter_child_nodes(node) if n not in node.generators]
                for generator in node.generators:
                    rest += [n for n in ast.iter_child_nodes(generator) if n is not first]
                self._enter([first], rest, scopes, inner)
            case _:
                for child in ast.iter_child_nodes(node):
                    self._visit(child, scopes)

    def _enter(
        self,
        outside: list[ast.AST | None],
        inside: list[ast.AST] | list[ast.stmt] | list[ast.expr],
        scopes: list[_Scope],
        inner: _Scope,
    ) -> None:
        self.locals |= inner.names
        for node in outside:
            if node is not None:
                self._visit(node, scopes)
        for node in inside:
            self._visit(node, [*scopes, inner])

    def _note(self, name: str, place: Place, scopes: list[_Scope]) -> None:
        for scope in reversed(scopes):
            if scope is not scopes[-1] and not scope.seen_inside:
                continue
            if name in scope.outer:
                break
            if name in scope.names:
                return
        if name in self._module.names:
            self._put(name, place)

    def _put(self, name: str, place: Place) -> None:
        self.globals.setdefault(name, []).append(place)


def _stores(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)


def _bound(node: ast.AST, body: list[ast.stmt] | list[ast.expr]) -> _Scope:
    """The scope of `node`: the names that its own statements bind."""
    scope = _Scope(node)
    away: set[str] = set()
    for child in own(body):
        match child:
            case ast.Name() if _stores(child):
                scope.names.add(child.id)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                scope.names.add(child.name)
            case ast.ExceptHandler() if child.name:
                scope.names.add(child.name)
            case ast.Import() | ast.ImportFrom():
                scope.names |= {a.asname or a.name.split(".")[0] for a in child.names}
            case ast.Global():
                scope.outer.update(child.names)
            case ast.Nonlocal():
                away.update(child.names)
            case _:
                pass
    scope.names -= away | scope.outer
    return scope


def own(body: list[ast.stmt] | list[ast.expr]) -> Iterator[ast.AST]:
    """Every node of `body` that lies in no inner scope; inner functions and classes themselves."""
    todo: list[ast.AST] = list(body)
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, Functions | ast.ClassDef | Comprehensions):
            todo += ast.iter_child_nodes(node)


def has_foreign_base(node: ast.ClassDef, ours: Container[str]) -> bool:
    """Whether it inherits from a class of somebody else's that may call its methods."""
    bases = [ast.unparse(base) for base in node.bases]
    return any(b not in ours and not b.endswith(("Error", "Exception", "object")) for b in bases)


def is_of_object(node: ast.Attribute, tree: ast.Module) -> bool:
    """Whether a method called by it gets what stands before the dot: no class, no super()."""
    if isinstance(node.value, ast.Name):
        name = node.value.id
        return not any(isinstance(s, ast.ClassDef) and s.name == name for s in tree.body)
    return ast.unparse(node.value) != "super()"


def arguments(function: Functions) -> list[ast.arg]:
    """Every argument of `function`, in order."""
    given = function.args
    stars = [star for star in (given.vararg, given.kwarg) if star is not None]
    return [*given.posonlyargs, *given.args, *given.kwonlyargs, *stars]
