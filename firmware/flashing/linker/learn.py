"""Runs over all assignments and calls of a linked program until nothing more is known of types.

What is put into a list is seen through every name that the list has: it flows back to where the
list came from.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from itertools import takewhile

from flashing.linker.classes import Function, defaults
from flashing.linker.scopes import arguments
from flashing.linker.types import (
    ANY,
    ANYTHING,
    EVERY,
    KEYS,
    MANY,
    NOTHING,
    SAME,
    STRANGE,
    Known,
    Types,
    holding,
    many,
)

_FILLED: Types = frozenset([MANY + ANY, KEYS + ANY])  # by whoever has it
_PUTS = ("append", "insert", "add", "setdefault", "appendleft")
_JOINS = ("extend", "update")
# Of MicroPython's, what neither keeps a list nor puts anything into it.
_ONLY_LOOK = {
    *("len", "isinstance", "sum", "any", "all", "bool", "print", "str", "repr", "id", "range"),
    *("sorted", "list", "tuple", "set", "reversed", "enumerate", "zip", "min", "max", "type"),
    *("hasattr", "dict", "iter", "next", "index", "count", "join", "remove", "pop", "get", "map"),
}


class Program(Known):
    """Everything that the text tells: see types.py."""

    def __init__(self, tree: ast.Module) -> None:
        super().__init__(tree)
        self._unpacked = set(self._taken_apart())
        self._changed = True
        while self._changed:
            self._changed = False
            for node in self.nodes:
                self._learn(node)

    def _taken_apart(self) -> Iterator[int]:
        """Tuples whose items are followed one by one: `a, b = c, d`; and targets."""
        for node in self.nodes:
            if isinstance(node, ast.Tuple | ast.List) and isinstance(node.ctx, ast.Store):
                yield id(node)
            elif isinstance(node, ast.Assign) and all(
                isinstance(t, ast.Tuple) for t in node.targets
            ):
                yield id(node.value)

    def _add(self, place: object, name: str, types: Types) -> None:
        old = self._known.get((place, name), NOTHING)
        if not types <= old or (place, name) not in self._known:
            self._known[place, name] = old | types
            self._changed = True

    def _learn(self, node: ast.AST) -> None:
        match node:
            case ast.NamedExpr():
                self.assign(node.target, node.value)
            case ast.Yield() | ast.YieldFrom() if node.value is not None:
                self._leak([node.value])
            case ast.List() | ast.Tuple() | ast.Set() if id(node) not in self._unpacked:
                self._leak(node.elts)
            case ast.Dict():
                self._leak(node.values)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                self._leak([node.elt])
            case ast.Assign():
                if len(node.targets) > 1:  # all of them are one object
                    for target in node.targets:
                        for other in node.targets:
                            self._put_into(target, holding(self.types(other)))
                for target in node.targets:
                    if isinstance(target, ast.Subscript):
                        self._leak([node.value])
                    self.assign(target, node.value)
                    around, owner = self.inside[id(node)]
                    if isinstance(target, ast.Name) and around is None and owner:
                        self._add(self.family(owner), target.id, self.types(node.value))
            case ast.AugAssign():
                more = self.types(node.value)
                self.assign(node.target, more if more and more <= holding(more) else more | STRANGE)
            case ast.For() | ast.comprehension():
                self._iterate(node.target, node.iter)
            case ast.With():
                for item in node.items:
                    if item.optional_vars is not None:
                        types = self.types(item.context_expr)  # a file gives itself
                        foreign = types <= STRANGE
                        self.assign(item.optional_vars, types if foreign else ANYTHING)
            case ast.AsyncFor():
                self.assign(node.target, ANYTHING)
            case ast.AsyncWith():
                for item in node.items:
                    if item.optional_vars is not None:
                        self.assign(item.optional_vars, ANYTHING)
            case ast.Import() | ast.ImportFrom():
                for alias in node.names:
                    here = alias.asname or alias.name.split(".")[0]
                    home = self.home(node, here)
                    if home and (home, here) not in self.classes_here:
                        ours = alias.name in self.functions or ("", alias.name) in self._known
                        if ours:  # of somebody else's comes nothing of ours
                            self._add(home, here, ANYTHING)
            case ast.ExceptHandler() if node.name:
                self._add(self.home(node, node.name), node.name, ANYTHING)
            case ast.Return():
                self._add(id(self.inside[id(node)][0]), "return", self.types(node.value))
            case ast.Call():
                self._call(node)
            case ast.Attribute() if isinstance(node.ctx, ast.Load) and id(node) not in self.called:
                if node.attr in _PUTS + _JOINS:  # as a value: `rows.append`
                    self._leak([node.value])
                for _, function in self.methods_at(node):
                    self._call_from_anywhere(function)
            case ast.Lambda():
                for argument in arguments(node):
                    self._add(self.home(node, argument.arg), argument.arg, ANYTHING)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                special = node.name.startswith("__") and node.name != "__init__"
                around = self.inside[id(node)][0]
                if id(node) in self.values or special or around is not None:
                    self._call_from_anywhere(node)
                if around is not None:
                    self._add(id(around), node.name, ANYTHING)
                for argument, value in defaults(node):
                    self._add(id(node), argument, self.types(value))
                    self._put_into(value, holding(self._known[id(node), argument]))
            case _:
                pass

    def _iterate(self, target: ast.expr, over: ast.expr) -> None:
        while isinstance(over, ast.Call) and ast.unparse(over.func) in SAME and over.args:
            over = over.args[0]
        if isinstance(over, ast.Call) and isinstance(target, ast.Tuple):
            if isinstance(over.func, ast.Attribute) and over.func.attr == "items":
                for inner in target.elts:
                    self.assign(inner, self.items(over.func.value, MANY + KEYS))
                return
            if ast.unparse(over.func) == "enumerate":
                self.assign(target.elts[0], STRANGE)
                self.assign(target.elts[1], self.items(over.args[0], MANY + KEYS))
                return
        self.assign(target, self.items(over, MANY + KEYS))

    def assign(self, target: ast.expr, value: ast.expr | Types) -> None:
        """`target = value`."""
        types = value if isinstance(value, frozenset) else self.types(value)
        match target:
            case ast.Name():
                self._add(self.home(target, target.id), target.id, types)
            case ast.Attribute():
                owners = self.types(target.value)
                for name in owners:
                    known = name in self.classes
                    self._add(self.family(name) if known else EVERY, target.attr, types)
            case ast.Subscript():
                keys = many(self.types(target.slice), KEYS)
                self._put_into(target.value, many(types) | keys)
            case ast.Tuple() | ast.List():
                items = value.elts if isinstance(value, ast.Tuple) else None
                for at, inner in enumerate(target.elts):
                    if items is not None and len(items) == len(target.elts):
                        self.assign(inner, items[at])
                    elif types:
                        held = frozenset(name[1:] for name in holding(types))
                        self.assign(inner, held if types <= holding(types) else ANYTHING)
            case ast.Starred():
                self.assign(target.value, types)
            case _:
                pass
        if isinstance(value, ast.expr):
            self._put_into(value, holding(self.types(target)))

    def _put_into(self, container: ast.expr, held: Types) -> None:
        """Every name of a list learns what one of them was given."""
        if not held:
            return
        if isinstance(container, ast.Name | ast.Attribute):
            if not held <= self.types(container):
                self.assign(container, held)
        elif isinstance(container, ast.Call):
            for _, function in self.callees(container):
                for value in self.returns[id(function)]:
                    if isinstance(value, ast.Name | ast.Attribute | ast.Call):
                        self._put_into(value, held)
        elif isinstance(container, ast.Await | ast.NamedExpr):
            self._put_into(container.value, held)
        elif isinstance(container, ast.BoolOp):
            for value in container.values:
                self._put_into(value, held)
        elif isinstance(container, ast.IfExp):
            self._put_into(container.body, held)
            self._put_into(container.orelse, held)

    def _leak(self, values: Iterable[ast.expr]) -> None:
        """These go where they are not followed: what lists among them hold, nobody knows."""
        for value in values:
            if holding(self.types(value)):
                self._put_into(value, _FILLED)

    def _by_text(self, node: ast.Call) -> None:
        """getattr and setattr: of whatever object."""
        names = [n.value for n in node.args[1:2] if isinstance(n, ast.Constant)]
        more = ANYTHING if ast.unparse(node.func) == "setattr" else _FILLED
        for place, name in list(self._known):
            of_object = place == EVERY or (isinstance(place, str) and place in self.classes)
            held = holding(self._known[place, name])
            if of_object and (not names or name in names) and (more is ANYTHING or held):
                self._add(place, name, more)

    def _call(self, node: ast.Call) -> None:
        func = node.func
        said = ast.unparse(func).split(".")[-1]
        if said in ("getattr", "setattr"):
            self._by_text(node)
        ours = self.callees(node) or id(node) in self.tables
        ours = ours or (isinstance(func, ast.Name) and self.made(func))
        if not ours and said not in _ONLY_LOOK | set(_JOINS):
            self._leak([*node.args, *(k.value for k in node.keywords)])
        if said == "map":
            self._leak(node.args[1:])
        if isinstance(func, ast.Name) and func.id in self.tuples:
            for field, value in zip(self.tuples[func.id], node.args, strict=False):
                self._add(EVERY, field, self.types(value))
        if (
            isinstance(func, ast.Attribute)
            and func.attr in _PUTS + _JOINS
            and not self.callees(node)
        ):
            keyed = func.attr == "setdefault"
            values = self.union(node.args[keyed:])
            if keyed:
                self._put_into(func.value, many(self.union(node.args[:1]), KEYS))
            put = holding(values) if func.attr in _JOINS else many(values)
            if func.attr in _JOINS and not values - STRANGE <= holding(values):
                put |= _FILLED
            self._put_into(func.value, put | many(self.union(k.value for k in node.keywords)))
        if id(node) in self.tables:
            for value in self.tables[id(node)].values:
                for _, function in self.methods_at(value):
                    self._bind(node, "", function)
            return
        through_class = isinstance(func, ast.Attribute) and (
            isinstance(func.value, ast.Name) and func.value.id in self.classes
        )
        for owner, function in self.callees(node):
            self._bind(node, "" if through_class else owner, function)

    def _bind(self, node: ast.Call, owner: str, function: Function) -> None:
        """Parameters are what they are given."""
        names = [a.arg for a in arguments(function)]
        bound = names[1:] if owner else names
        plain = list(takewhile(lambda a: not isinstance(a, ast.Starred), node.args))
        if len(plain) < len(node.args) or any(k.arg is None for k in node.keywords):
            for name in bound[len(plain) :]:
                self._add(id(function), name, ANYTHING)
        if function.decorator_list or function.args.vararg or function.args.kwarg:
            self._call_from_anywhere(function)
        given = [*zip(bound, plain, strict=False), *((k.arg or "", k.value) for k in node.keywords)]
        for name, value in given:
            self._add(id(function), name, self.types(value))
            self._put_into(value, holding(self._known[id(function), name]))

    def _call_from_anywhere(self, function: Function) -> None:
        for argument in arguments(function):
            self._add(id(function), argument.arg, ANYTHING)
