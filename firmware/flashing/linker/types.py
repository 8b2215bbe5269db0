"""Which class of a linked program an expression is an instance of, as far as the text tells.

A set of names (learn.py makes it):

    Name      an instance of that class
    *Name     a list, tuple or dict that holds such; ^Name a dict with such keys
    FOREIGN   something of MicroPython's, which has nothing of ours inside (a number, a text, a Pin)
    ANY       it may be anything: what comes out of a foreign object, out of a callback
    (empty)   nothing was ever put there

Too much may be in a set, never too little.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from flashing.linker.classes import Classes, Function, Method

Types = frozenset[str]
ANY, FOREIGN, MANY, KEYS = "?", "-", "*", "^"
EVERY = "."  # whose attribute: of an object that nobody knows
NOTHING: Types = frozenset()
ANYTHING: Types = frozenset([ANY])
STRANGE: Types = frozenset([FOREIGN])
SAME = ("list", "tuple", "sorted", "reversed", "set")  # of the same items
_TAKES = ("pop", "get", "values", "setdefault", "popleft")
_OPERATORS = (
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "neg",
    "pos",
    "invert",
    "and",
    "or",
)
_RESULTS = {f"__{side}{name}__" for name in _OPERATORS for side in ("", "r", "i")}
_PASS_ON = ("next", "getattr", "max", "min", "super", "iter", "zip", "enumerate", "map", "filter")


def many(types: Types, mark: str = MANY) -> Types:
    """What holds these. Deeper than one level nothing is known."""
    inside = types - STRANGE
    return frozenset(mark + (name if name[0] not in MANY + KEYS else ANY) for name in inside)


def holding(types: Types) -> Types:
    """Those of them that hold something."""
    return frozenset(name for name in types if name[0] in MANY + KEYS)


class Known(Classes):
    """What is known so far of every variable and attribute; a name not yet seen holds nothing."""

    def __init__(self, tree: ast.Module) -> None:
        super().__init__(tree)
        self._known: dict[tuple[object, str], Types] = {}
        members = {name for owner in self.classes for name in self.members(owner)}
        self._operators = bool(members & _RESULTS)

    def types(self, node: ast.expr | None) -> Types:
        match node:
            case ast.Name():
                return self._name(node)
            case ast.Attribute():
                return self._attribute(node)
            case ast.Call():
                return self._result(node)
            case ast.Await() | ast.NamedExpr():
                return self.types(node.value)
            case ast.IfExp():
                return self.types(node.body) | self.types(node.orelse)
            case ast.BoolOp():
                return self.union(node.values)
            case ast.Subscript():
                whole = isinstance(node.slice, ast.Slice)
                return self.types(node.value) if whole else self.items(node.value)
            case ast.List() | ast.Tuple() | ast.Set():
                return many(self.union(node.elts))
            case ast.Dict():
                keys = [key for key in node.keys if key is not None]
                return many(self.union(node.values)) | many(self.union(keys), KEYS)
            case ast.BinOp() | ast.UnaryOp() if self._operators:
                return ANYTHING
            case ast.BinOp():
                return STRANGE | holding(self.types(node.left) | self.types(node.right))
            case ast.Constant() if node.value is None:
                return NOTHING  # it has no methods that anybody could mean
            case ast.Constant() | ast.Compare() | ast.UnaryOp() | ast.JoinedStr() | ast.Lambda():
                return STRANGE
            case None:
                return NOTHING
            case _:
                return ANYTHING

    def union(self, nodes: Iterable[ast.expr]) -> Types:
        return NOTHING.union(*(self.types(node) for node in nodes))

    def items(self, node: ast.expr, marks: str = MANY) -> Types:
        """What a list, tuple or dict holds; with KEYS, what going over it gives."""
        types = self.types(node)
        inside = frozenset(name[1:] for name in holding(types) if name[0] in marks)
        return inside if types <= holding(types) else inside | ANYTHING

    def _name(self, node: ast.Name) -> Types:
        if self.is_self(node):
            return frozenset(self.heirs(self.inside[id(node)][1]))
        home = self.home(node, node.id)
        if home == "" and ("", node.id) not in self._known:
            return STRANGE  # a builtin, an import, a class or function as such
        return self._known.get((home, node.id), NOTHING)

    def _attribute(self, node: ast.Attribute) -> Types:
        types = self.types(node.value)
        if ANY in types:
            return ANYTHING
        found = self._known.get((EVERY, node.attr), NOTHING) if types else NOTHING
        for name in types:
            method = self.method(name, node.attr)
            if method is not None:
                found |= self._returned(method[1]) if method[1].decorator_list else STRANGE
            elif name in self.classes:
                found |= self._known.get((self.family(name), node.attr), NOTHING)
            else:
                found |= STRANGE
        return found

    def callees(self, node: ast.Call) -> list[Method]:
        """Every function or method of ours that may be called."""
        func = node.func
        if isinstance(func, ast.Name):
            if func.id in self.functions:
                return [("", self.functions[func.id])]
            start = self.method(self.made(func), "__init__")
            return [start] if start else []
        if not isinstance(func, ast.Attribute):
            return []
        if ast.unparse(func.value) == "super()":
            up = self.ancestors(self.inside[id(node)][1])[1:]
            return [m for m in (self.method(name, func.attr) for name in up) if m][:1]
        return self.methods_at(func)

    def methods_at(self, node: ast.expr) -> list[Method]:
        """Every function or method of ours that this name may mean."""
        if isinstance(node, ast.Name):
            return [("", self.functions[node.id])] if node.id in self.functions else []
        assert isinstance(node, ast.Attribute)
        types = self.owners(node)
        if ANY in types:
            return [row for row in self.owned if row[0] and row[1].name == node.attr]
        return [m for m in (self.method(name, node.attr) for name in types) if m]

    def owners(self, node: ast.Attribute) -> Types:
        """The types of what `node` is an attribute of; of a class named there, its own."""
        if isinstance(node.value, ast.Name) and node.value.id in self.classes:
            return frozenset([node.value.id])
        return self.types(node.value)

    def _result(self, node: ast.Call) -> Types:
        func = node.func
        if isinstance(func, ast.Name):
            if self.made(func):
                return frozenset([self.made(func)])
            if func.id in self.functions:
                return self._returned(self.functions[func.id])
            if func.id in self.tuples:
                return STRANGE
            if func.id == "map" and isinstance(node.args[0], ast.Name) and self.made(node.args[0]):
                return many(frozenset([self.made(node.args[0])]))
            if func.id in SAME and node.args:
                return self.types(node.args[0])
            plain = self.home(func, func.id) == "" and ("", func.id) not in self._known
            return STRANGE if plain and func.id not in _PASS_ON else ANYTHING
        if not isinstance(func, ast.Attribute):
            return ANYTHING
        types = self.owners(func)
        if func.attr in _TAKES and types and types <= holding(types):
            return self.items(func.value) | self.union(node.args[1:])
        module = func.value.id if isinstance(func.value, ast.Name) else ""
        passes_on = module == "asyncio" and func.attr.islower()  # wait_for gives what it was given
        if module in self.modules and not passes_on:
            return STRANGE
        found = NOTHING
        for name in types:
            method = self.method(name, func.attr)
            found |= self._returned(method[1]) if method else ANYTHING
        return found

    def _returned(self, function: Function) -> Types:
        if id(function) in self.generators:
            return ANYTHING
        return self._known.get((id(function), "return"), NOTHING)
