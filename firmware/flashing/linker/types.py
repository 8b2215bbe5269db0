"""Which class of a linked program an expression is an instance of, as far as the text tells.

A set of names, made by running over all assignments and calls until nothing is added:

    Name      an instance of that class
    *Name     a list, tuple or dict that holds such; ^Name a dict with such keys
    FOREIGN   something of MicroPython's, which has nothing of ours inside (a number, a text, a Pin)
    ANY       it may be anything: what comes out of a foreign object, out of a callback
    (empty)   nothing was ever put there

Too much may be in a set, never too little. What is put into a list is seen through every name that
the list has: it flows back to where the list came from.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from itertools import takewhile

from flashing.linker.classes import Classes, Function, Method, defaults
from flashing.linker.scopes import arguments

Types = frozenset[str]
ANY, FOREIGN, MANY, KEYS = "?", "-", "*", "^"
_EVERY = "."  # whose attribute: of an object that nobody knows
_NOTHING: Types = frozenset()
_FILLED: Types = frozenset([MANY + ANY, KEYS + ANY])  # by whoever has it
_ANYTHING: Types = frozenset([ANY])
_STRANGE: Types = frozenset([FOREIGN])
_SAME = ("list", "tuple", "sorted", "reversed", "set")  # of the same items
_TAKES = ("pop", "get", "values", "setdefault", "popleft")
_PUTS = ("append", "insert", "add", "setdefault", "appendleft")
_JOINS = ("extend", "update")
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
# Of MicroPython's, what neither keeps a list nor puts anything into it.
_ONLY_LOOK = {
    *("len", "isinstance", "sum", "any", "all", "bool", "print", "str", "repr", "id", "range"),
    *("sorted", "list", "tuple", "set", "reversed", "enumerate", "zip", "min", "max", "type"),
    *("hasattr", "dict", "iter", "next", "index", "count", "join", "remove", "pop", "get", "map"),
}
_PASS_ON = ("next", "getattr", "max", "min", "super", "iter", "zip", "enumerate", "map", "filter")


def _many(types: Types, mark: str = MANY) -> Types:
    """What holds these. Deeper than one level nothing is known."""
    inside = types - _STRANGE
    return frozenset(mark + (name if name[0] not in MANY + KEYS else ANY) for name in inside)


def _held(types: Types) -> Types:
    return frozenset(name for name in types if name[0] in MANY + KEYS)


class Program(Classes):
    def __init__(self, tree: ast.Module) -> None:
        super().__init__(tree)
        self._known: dict[tuple[object, str], Types] = {}
        members = {name for owner in self.classes for name in self.members(owner)}
        self._unpacked = set(self._taken_apart())
        self._operators = bool(members & _RESULTS)
        self._changed = True
        while self._changed:
            self._changed = False
            for node in self.nodes:
                self._learn(node)

    # --- what an expression is -------------------------------------------------------------------
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
                return self._union(node.values)
            case ast.Subscript():
                whole = isinstance(node.slice, ast.Slice)
                return self.types(node.value) if whole else self.items(node.value)
            case ast.List() | ast.Tuple() | ast.Set():
                return _many(self._union(node.elts))
            case ast.Dict():
                keys = [key for key in node.keys if key is not None]
                return _many(self._union(node.values)) | _many(self._union(keys), KEYS)
            case ast.BinOp() | ast.UnaryOp() if self._operators:
                return _ANYTHING
            case ast.BinOp():
                return _STRANGE | _held(self.types(node.left) | self.types(node.right))
            case ast.Constant() if node.value is None:
                return _NOTHING  # it has no methods that anybody could mean
            case ast.Constant() | ast.Compare() | ast.UnaryOp() | ast.JoinedStr() | ast.Lambda():
                return _STRANGE
            case None:
                return _NOTHING
            case _:
                return _ANYTHING

    def _union(self, nodes: Iterable[ast.expr]) -> Types:
        return _NOTHING.union(*(self.types(node) for node in nodes))

    def items(self, node: ast.expr, marks: str = MANY) -> Types:
        """What a list, tuple or dict holds; with KEYS, what going over it gives."""
        types = self.types(node)
        inside = frozenset(name[1:] for name in _held(types) if name[0] in marks)
        return inside if types <= _held(types) else inside | _ANYTHING

    def _name(self, node: ast.Name) -> Types:
        if self.is_self(node):
            return frozenset(self.heirs(self.inside[id(node)][1]))
        home = self.home(node, node.id)
        if home == "" and ("", node.id) not in self._known:
            return _STRANGE  # a builtin, an import, a class or function as such
        return self._known.get((home, node.id), _NOTHING)

    def _attribute(self, node: ast.Attribute) -> Types:
        types = self.types(node.value)
        if ANY in types:
            return _ANYTHING
        found = self._known.get((_EVERY, node.attr), _NOTHING) if types else _NOTHING
        for name in types:
            method = self.method(name, node.attr)
            if method is not None:
                found |= self._returned(method[1]) if method[1].decorator_list else _STRANGE
            elif name in self.classes:
                found |= self._known.get((self.family(name), node.attr), _NOTHING)
            else:
                found |= _STRANGE
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
                return _STRANGE
            if func.id == "map" and isinstance(node.args[0], ast.Name) and self.made(node.args[0]):
                return _many(frozenset([self.made(node.args[0])]))
            if func.id in _SAME and node.args:
                return self.types(node.args[0])
            plain = self.home(func, func.id) == "" and ("", func.id) not in self._known
            return _STRANGE if plain and func.id not in _PASS_ON else _ANYTHING
        if not isinstance(func, ast.Attribute):
            return _ANYTHING
        types = self.owners(func)
        if func.attr in _TAKES and types and types <= _held(types):
            return self.items(func.value) | self._union(node.args[1:])
        module = func.value.id if isinstance(func.value, ast.Name) else ""
        passes_on = module == "asyncio" and func.attr.islower()  # wait_for gives what it was given
        if module in self.modules and not passes_on:
            return _STRANGE
        found = _NOTHING
        for name in types:
            method = self.method(name, func.attr)
            found |= self._returned(method[1]) if method else _ANYTHING
        return found

    def _returned(self, function: Function) -> Types:
        if id(function) in self.generators:
            return _ANYTHING
        return self._known.get((id(function), "return"), _NOTHING)

    def _taken_apart(self) -> Iterator[int]:
        """Tuples whose items are followed one by one: `a, b = c, d`; and targets."""
        for node in self.nodes:
            if isinstance(node, ast.Tuple | ast.List) and isinstance(node.ctx, ast.Store):
                yield id(node)
            elif isinstance(node, ast.Assign) and all(
                isinstance(t, ast.Tuple) for t in node.targets
            ):
                yield id(node.value)

    # --- learning ------------------------------------------------------------------------------
    def _add(self, place: object, name: str, types: Types) -> None:
        old = self._known.get((place, name), _NOTHING)
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
                            self._put_into(target, _held(self.types(other)))
                for target in node.targets:
                    if isinstance(target, ast.Subscript):
                        self._leak([node.value])
                    self.assign(target, node.value)
                    around, owner = self.inside[id(node)]
                    if isinstance(target, ast.Name) and around is None and owner:
                        self._add(self.family(owner), target.id, self.types(node.value))
            case ast.AugAssign():
                more = self.types(node.value)
                self.assign(node.target, more if more and more <= _held(more) else more | _STRANGE)
            case ast.For() | ast.comprehension():
                self._iterate(node.target, node.iter)
            case ast.With():
                for item in node.items:
                    if item.optional_vars is not None:
                        types = self.types(item.context_expr)  # a file gives itself
                        foreign = types <= _STRANGE
                        self.assign(item.optional_vars, types if foreign else _ANYTHING)
            case ast.AsyncFor():
                self.assign(node.target, _ANYTHING)
            case ast.AsyncWith():
                for item in node.items:
                    if item.optional_vars is not None:
                        self.assign(item.optional_vars, _ANYTHING)
            case ast.Import() | ast.ImportFrom():
                for alias in node.names:
                    here = alias.asname or alias.name.split(".")[0]
                    home = self.home(node, here)
                    if home and (home, here) not in self.classes_here:
                        ours = alias.name in self.functions or ("", alias.name) in self._known
                        if ours:  # of somebody else's comes nothing of ours
                            self._add(home, here, _ANYTHING)
            case ast.ExceptHandler() if node.name:
                self._add(self.home(node, node.name), node.name, _ANYTHING)
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
                    self._add(self.home(node, argument.arg), argument.arg, _ANYTHING)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                special = node.name.startswith("__") and node.name != "__init__"
                around = self.inside[id(node)][0]
                if id(node) in self.values or special or around is not None:
                    self._call_from_anywhere(node)
                if around is not None:
                    self._add(id(around), node.name, _ANYTHING)
                for argument, value in defaults(node):
                    self._add(id(node), argument, self.types(value))
                    self._put_into(value, _held(self._known[id(node), argument]))
            case _:
                pass

    def _iterate(self, target: ast.expr, over: ast.expr) -> None:
        while isinstance(over, ast.Call) and ast.unparse(over.func) in _SAME and over.args:
            over = over.args[0]
        if isinstance(over, ast.Call) and isinstance(target, ast.Tuple):
            if isinstance(over.func, ast.Attribute) and over.func.attr == "items":
                for inner in target.elts:
                    self.assign(inner, self.items(over.func.value, MANY + KEYS))
                return
            if ast.unparse(over.func) == "enumerate":
                self.assign(target.elts[0], _STRANGE)
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
                    self._add(self.family(name) if known else _EVERY, target.attr, types)
            case ast.Subscript():
                keys = _many(self.types(target.slice), KEYS)
                self._put_into(target.value, _many(types) | keys)
            case ast.Tuple() | ast.List():
                items = value.elts if isinstance(value, ast.Tuple) else None
                for at, inner in enumerate(target.elts):
                    if items is not None and len(items) == len(target.elts):
                        self.assign(inner, items[at])
                    elif types:
                        held = frozenset(name[1:] for name in _held(types))
                        self.assign(inner, held if types <= _held(types) else _ANYTHING)
            case ast.Starred():
                self.assign(target.value, types)
            case _:
                pass
        if isinstance(value, ast.expr):
            self._put_into(value, _held(self.types(target)))

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
            if _held(self.types(value)):
                self._put_into(value, _FILLED)

    def _by_text(self, node: ast.Call) -> None:
        """getattr and setattr: of whatever object."""
        names = [n.value for n in node.args[1:2] if isinstance(n, ast.Constant)]
        more = _ANYTHING if ast.unparse(node.func) == "setattr" else _FILLED
        for place, name in list(self._known):
            of_object = place == _EVERY or (isinstance(place, str) and place in self.classes)
            held = _held(self._known[place, name])
            if of_object and (not names or name in names) and (more is _ANYTHING or held):
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
                self._add(_EVERY, field, self.types(value))
        if (
            isinstance(func, ast.Attribute)
            and func.attr in _PUTS + _JOINS
            and not self.callees(node)
        ):
            keyed = func.attr == "setdefault"
            values = self._union(node.args[keyed:])
            if keyed:
                self._put_into(func.value, _many(self._union(node.args[:1]), KEYS))
            put = _held(values) if func.attr in _JOINS else _many(values)
            if func.attr in _JOINS and not values - _STRANGE <= _held(values):
                put |= _FILLED
            self._put_into(func.value, put | _many(self._union(k.value for k in node.keywords)))
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
                self._add(id(function), name, _ANYTHING)
        if function.decorator_list or function.args.vararg or function.args.kwarg:
            self._call_from_anywhere(function)
        given = [*zip(bound, plain, strict=False), *((k.arg or "", k.value) for k in node.keywords)]
        for name, value in given:
            self._add(id(function), name, self.types(value))
            self._put_into(value, _held(self._known[id(function), name]))

    def _call_from_anywhere(self, function: Function) -> None:
        for argument in arguments(function):
            self._add(id(function), argument.arg, _ANYTHING)
