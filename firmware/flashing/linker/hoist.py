"""Comprehensions of a linked program become plain loops before the statement they stand in.

Each comprehension is a function of its own to MicroPython: 32 bytes of heap for ever on 32 bits, a
closure each time it runs, and a variable it uses becomes a cell. A loop says the same. Only where
nothing that the statement does before it, or does only sometimes, could notice.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flashing.linker.classes import own_names
from flashing.linker.join import Part
from flashing.linker.origins import same
from flashing.linker.scopes import Functions, arguments

_EMPTY = {ast.ListComp: "[]", ast.SetComp: "set()", ast.DictComp: "{}"}
_FIELDS: dict[type[ast.stmt], str] = {ast.If: "test", ast.For: "iter", ast.Raise: "exc"}
_INSIDE_ONCE = ast.Assign | ast.AugAssign | ast.Return | ast.Expr | ast.If | ast.For | ast.Raise


def hoist(parts: list[Part]) -> None:
    """Change the bodies of all functions in place."""
    for part in parts:
        for statement in part.body:
            for node in ast.walk(statement):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    _Hoist().run(node)


class _Hoist:
    def __init__(self) -> None:
        self._count = 0
        self._used: set[str] = set()
        self._own: set[str] = set()

    def run(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._used = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}
        self._used |= {argument.arg for argument in arguments(function)}
        self._own = own_names(function)
        function.body = self._block(function.body)

    def _block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for statement in body:
            if isinstance(statement, _INSIDE_ONCE):
                out += self._before(statement)
            out.append(statement)
            if not isinstance(statement, Functions | ast.ClassDef):
                for block in ("body", "orelse", "finalbody"):
                    if getattr(statement, block, None):
                        setattr(statement, block, self._block(getattr(statement, block)))
                for handler in getattr(statement, "handlers", ()):
                    handler.body = self._block(handler.body)
        return out

    def _before(self, statement: ast.stmt) -> list[ast.stmt]:
        """The loops to run before `statement`, which then reads what they made."""
        new: list[ast.stmt] = []
        while True:
            found = next(_places(statement, self._own), None)
            if found is None:
                return new
            owner, field, index, node = found
            name = self._name()
            for made in self._loop(node, name):
                same(made, statement)
                new.append(made)
            read = ast.Name(name, ast.Load())
            if index is None:
                setattr(owner, field, read)
            else:
                getattr(owner, field)[index] = read

    def _name(self) -> str:
        self._count += 1
        name = f"made{self._count}"
        if name in self._used:
            return self._name()
        self._own.add(name)
        return name

    def _loop(self, node: ast.ListComp | ast.SetComp | ast.DictComp, name: str) -> list[ast.stmt]:
        targets = {
            n.id: f"{name}_{n.id}"
            for generator in node.generators
            for n in ast.walk(generator.target)
            if isinstance(n, ast.Name)
        }
        first = node.generators[0].iter
        outside = {id(n) for n in ast.walk(first)}  # read before any of the loop's own names
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name) and id(inner) not in outside:
                inner.id = targets.get(inner.id, inner.id)
        made = ast.Name(name, ast.Load())
        step: ast.stmt
        if isinstance(node, ast.DictComp):
            step = ast.Assign([ast.Subscript(made, node.key, ast.Store())], node.value)
        else:
            how = "append" if isinstance(node, ast.ListComp) else "add"
            step = ast.Expr(ast.Call(ast.Attribute(made, how, ast.Load()), [node.elt], []))
        for generator in reversed(node.generators):
            for condition in reversed(generator.ifs):
                step = ast.If(condition, [step], [])
            step = ast.For(generator.target, generator.iter, [step], [])
        empty = ast.parse(f"{name} = {_EMPTY[type(node)]}").body[0]
        return [empty, *self._block([step])]


Place = tuple[ast.AST, str, "int | None", "ast.ListComp | ast.SetComp | ast.DictComp"]


def _places(statement: ast.stmt, own: set[str]) -> Iterator[Place]:
    """The first comprehension that may be made beforehand: (owner, field, index, node)."""
    field = _FIELDS.get(type(statement), "value")
    search = _Search(own)
    if isinstance(statement, ast.AugAssign):
        if not isinstance(statement.target, ast.Name):
            return
        search.reads(statement.target)
    if getattr(statement, field, None) is not None:
        yield from search.look(statement, field, None)


class _Search:
    """Walks an expression in the order in which it is evaluated, until something has happened.

    What was read before a comprehension must still be so after it: a variable of the function's
    own is, anything else may have been changed by what the comprehension calls.
    """

    def __init__(self, own: set[str]) -> None:
        self._happened = False
        self._read = False
        self._own = own

    def reads(self, node: ast.expr) -> None:
        local = isinstance(node, ast.Name) and node.id in self._own
        self._read = self._read or not (local or isinstance(node, ast.Constant))

    def look(self, owner: ast.AST, field: str, index: int | None) -> Iterator[Place]:
        node = getattr(owner, field)
        node = node if index is None else node[index]
        if self._happened or node is None:
            return
        if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp):
            never = Functions | ast.Await | ast.Yield | ast.NamedExpr
            calls = self._read and any(isinstance(n, ast.Call) for n in ast.walk(node))
            if not calls and not any(isinstance(n, never) for n in ast.walk(node)):
                yield owner, field, index, node
            self._happened = True
        elif isinstance(node, ast.Call):
            function = node.func  # what is called stays the same
            if isinstance(function, ast.Attribute):
                yield from self.look(function, "value", None)
            elif not isinstance(function, ast.Name):
                yield from self.look(node, "func", None)
            for at in range(len(node.args)):
                yield from self.look(node, "args", at)
            for keyword in node.keywords:
                yield from self.look(keyword, "value", None)
            self._happened = True
        elif isinstance(node, ast.BinOp):
            yield from self.look(node, "left", None)
            yield from self.look(node, "right", None)
        elif isinstance(node, ast.Compare):
            yield from self.look(node, "left", None)
            yield from self.look(node, "comparators", 0)
            self._happened = self._happened or len(node.comparators) > 1
        elif isinstance(node, ast.BoolOp):
            yield from self.look(node, "values", 0)
            self._happened = True
        elif isinstance(node, ast.IfExp):
            yield from self.look(node, "test", None)
            self._happened = True
        elif isinstance(node, ast.Tuple | ast.List):
            for at in range(len(node.elts)):
                yield from self.look(node, "elts", at)
        elif isinstance(node, ast.Subscript | ast.Attribute | ast.Starred):
            yield from self.look(node, "value", None)
            if isinstance(node, ast.Subscript):
                yield from self.look(node, "slice", None)
            self.reads(node)
        elif isinstance(node, ast.UnaryOp):
            yield from self.look(node, "operand", None)
        elif isinstance(node, ast.Name | ast.Constant):
            self.reads(node)
        else:
            self._happened = True
