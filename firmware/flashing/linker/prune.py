"""What a unit does not need of a joined program: constants under a name, and what nobody uses.

A constant is written where it is used, as often as it is: mpy-cross makes one object of them all,
and a global less is 8 bytes of heap less. A function, class, method or table stays only when
something that runs may reach it: what modules do when they are imported, the names that uses, and
any method whose name stands behind a dot, or in a string, in what is reached. Methods are known by
their name alone, so a name that two classes share keeps both.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from flashing.linker.join import START, Part
from flashing.linker.scopes import Definitions, Imports, has_foreign_base
from flashing.linker.short import KNOWN

HELD = "held"  # the `kind` of such a constant: see _hold
_OPERATIONS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: int.__add__,
    ast.Sub: int.__sub__,
    ast.Mult: int.__mul__,
    ast.FloorDiv: int.__floordiv__,
    ast.LShift: int.__lshift__,
    ast.Pow: int.__pow__,
}
# Making these does nothing but make them.
_PURE = {"namedtuple", "tuple", "bytes", "dict", "range", "len", "const"}


def fold(parts: list[Part], names: set[str]) -> None:
    """Write constants where they are used; `names` loses those that are gone."""
    bound = Counter(_bindings(parts, names))
    uses = Counter(n.id for n in _nodes(parts) if isinstance(n, ast.Name) and _loads(n))
    known: dict[str, ast.expr] = {}
    found = -1
    while len(known) > found:  # until none follows from the last ones
        found = len(known)
        for part in parts:
            for name, value in _assignments(part):
                if name in names and bound[name] == 1 and name not in known:
                    constant = _constant(value, known)
                    if constant is not None:
                        known[name] = constant
                        _hold(constant, uses[name])
    for part in parts:
        part.body = [s for s in part.body if not _is_known(s, known)]
        written = _Write(known)
        part.body = [written.visit(s) for s in part.body]
    names -= known.keys()


def shake(parts: list[Part], names: set[str]) -> None:
    """Take away what nothing reaches; `names` loses it too."""
    for _ in range(2):  # what is gone hides nothing, and needs nothing, any more
        program = _Reach(parts, names)
        program.run()
        for part in parts:
            part.body = [s for s in part.body if program.keeps(s)]
            for node in part.body:
                if isinstance(node, ast.ClassDef):
                    kept = [member for member in node.body if program.keeps_in(member)]
                    node.body = kept or [ast.Pass()]
        names &= program.reached


def _nodes(parts: Iterable[Part]) -> Iterator[ast.AST]:
    for part in parts:
        for statement in part.body:
            yield from ast.walk(statement)


def _loads(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)


def _bindings(parts: list[Part], names: set[str]) -> Iterator[str]:
    """Every place that gives a global its value; two more for one that functions may change."""
    for node in _nodes(parts):
        if isinstance(node, ast.Name) and not _loads(node) and node.id in names:
            yield node.id
        elif isinstance(node, Definitions) and node.name in names:
            yield node.name
        elif isinstance(node, ast.Global):
            yield from node.names
            yield from node.names


def _assignments(part: Part) -> Iterator[tuple[str, ast.expr]]:
    for statement in part.body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            yield from _pairs(statement)


def _pairs(statement: ast.Assign) -> list[tuple[str, ast.expr]]:
    """(name, value) of `a = 1`, `a, b = 1, 2` and `a, b = range(2)`; nothing of anything else."""
    target, value = statement.targets[0], statement.value
    if isinstance(target, ast.Name):
        return [(target.id, value)]
    if not isinstance(target, ast.Tuple):
        return []
    names = [item.id for item in target.elts if isinstance(item, ast.Name)]
    values: list[ast.expr] = []
    if isinstance(value, ast.Tuple):
        values = value.elts
    elif isinstance(value, ast.Call) and ast.unparse(value.func) == "range":
        values = [ast.Constant(number) for number in range(len(names))]
    return list(zip(names, values, strict=True)) if len(names) == len(values) else []


def _constant(node: ast.expr, known: dict[str, ast.expr]) -> ast.expr | None:
    """The constant that `node` is, or None."""
    if isinstance(node, ast.Constant):
        return node
    if isinstance(node, ast.Tuple):
        items = [_constant(item, known) for item in node.elts]
        return ast.Tuple([item for item in items if item], ast.Load()) if all(items) else None
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "const":
        return _constant(node.args[0], known)
    number = _number(node, known)
    return None if number is None else ast.Constant(number)


def _number(node: ast.expr, known: dict[str, ast.expr]) -> int | None:
    if isinstance(node, ast.Constant):
        return node.value if type(node.value) is int else None
    if isinstance(node, ast.Name):
        return _number(known[node.id], {}) if node.id in known else None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = _number(node.operand, known)
        return None if number is None else -number
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
        left, right = _number(node.left, known), _number(node.right, known)
        if left is not None and right is not None:
            return _OPERATIONS[type(node.op)](left, right)
    return None


def _hold(constant: ast.expr, uses: int) -> None:
    """A text that several places share is wanted often: `sentences` is not to cut it each time."""
    if isinstance(constant, ast.Constant) and uses > 1:
        constant.kind = HELD


def _is_known(statement: ast.stmt, known: dict[str, ast.expr]) -> bool:
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return False
    pairs = _pairs(statement)
    return bool(pairs) and all(name in known for name, _ in pairs)


class _Write(ast.NodeTransformer):
    def __init__(self, known: dict[str, ast.expr]) -> None:
        self._known = known

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in self._known and isinstance(node.ctx, ast.Load):
            return ast.copy_location(copy.deepcopy(self._known[node.id]), node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "const":
            return node.args[0]
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        """`A, B = 1, 2` of which one is known and one is not: both stay as they are."""
        self.generic_visit(node)
        return node


class _Reach:
    """`reached`: the globals that something which runs may use."""

    def __init__(self, parts: list[Part], names: set[str]) -> None:
        self.reached: set[str] = set()
        self._names = names
        self._words: set[str] = set()  # behind a dot, in a string, a keyword
        self._defined: dict[str, list[ast.stmt]] = {}
        self._todo: list[ast.AST] = []
        self._members: list[ast.stmt] = []
        self._kept: set[int] = set()
        self._hidden = set(_hidden(parts))
        for part in parts:
            for statement in part.body:
                own = list(self._names_of(statement))
                if own:
                    for name in own:
                        self._defined.setdefault(name, []).append(statement)
                elif not isinstance(statement, Imports):
                    self._keep(statement)

    def run(self) -> None:
        self._reach(START)
        found = True
        while found:
            while self._todo:
                self._look(self._todo.pop())
            found = False
            for member in self._members:
                if id(member) not in self._kept and self._is_called(member):
                    self._keep(member)
                    found = True

    def keeps(self, statement: ast.stmt) -> bool:
        if isinstance(statement, Imports):
            return any((a.asname or a.name) in self.reached for a in statement.names)
        return id(statement) in self._kept

    def keeps_in(self, member: ast.stmt) -> bool:
        return id(member) in self._kept

    def _keep(self, statement: ast.stmt) -> None:
        if id(statement) not in self._kept:
            self._kept.add(id(statement))
            self._todo.append(statement)

    def _names_of(self, statement: ast.stmt) -> Iterator[str]:
        """The globals that this statement only defines; none when it does anything else."""
        if isinstance(statement, Definitions):
            yield statement.name
        elif isinstance(statement, ast.Assign) and _is_pure(statement.value):
            names = [n for target in statement.targets for n in ast.walk(target)]
            if all(isinstance(n, ast.Name | ast.Tuple | ast.Store) for n in names):
                yield from (n.id for n in names if isinstance(n, ast.Name))

    def _is_called(self, member: ast.stmt) -> bool:
        if id(member) in self._hidden:
            return False
        if isinstance(member, Definitions):
            return member.name in self._words or member.name.startswith("__")
        if isinstance(member, ast.Assign):
            names = [n.id for t in member.targets for n in ast.walk(t) if isinstance(n, ast.Name)]
            return any(name in self._words or name in self.reached for name in names)
        return True

    def _look(self, node: ast.AST) -> None:
        if isinstance(node, ast.ClassDef):
            for part in [*node.bases, *node.decorator_list]:
                self._look(part)
            self._members += node.body
            if has_foreign_base(node, self._names):
                for member in node.body:
                    if isinstance(member, Definitions) and member.name in KNOWN:
                        self._keep(member)
            return
        if isinstance(node, ast.Name):
            self._reach(node.id)
        elif isinstance(node, ast.Attribute):
            self._words.add(node.attr)
        elif isinstance(node, ast.keyword) and node.arg:
            self._words.add(node.arg)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            self._words.add(node.value)
        elif isinstance(node, Imports):
            for alias in node.names:
                self._reach(alias.name)
        for child in ast.iter_child_nodes(node):
            self._look(child)

    def _reach(self, name: str) -> None:
        if name not in self.reached:
            self.reached.add(name)
            for statement in self._defined.get(name, ()):
                self._keep(statement)


def _hidden(parts: list[Part]) -> Iterator[int]:
    """Members of a class that its only heir puts None over, and that None: nobody can ask for it.

    That is how a class of ours says what it does not use of a library's.
    """
    classes = [s for part in parts for s in part.body if isinstance(s, ast.ClassDef)]
    uses = Counter(n.id for n in _nodes(parts) if isinstance(n, ast.Name))
    for heir in classes:
        for base in classes:
            only = uses[base.name] == 1 and [ast.unparse(b) for b in heir.bases] == [base.name]
            if not only:
                continue
            nothing = {
                target.id: member
                for member in heir.body
                if isinstance(member, ast.Assign) and ast.unparse(member.value) == "None"
                for target in member.targets
                if isinstance(target, ast.Name)
            }
            yield from (id(member) for member in nothing.values())
            for member in base.body:
                if isinstance(member, Definitions) and member.name in nothing:
                    yield id(member)


def _is_pure(node: ast.expr) -> bool:
    """Whether making this value does nothing else. A class of ours only keeps what it is given."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call):
            name = ast.unparse(inner.func)
            if name not in _PURE and not name[:1].isupper():
                return False
    return True
