"""Short names for a joined program, shared as far as nothing can tell the difference.

    globals      one each
    attributes   two may share one unless an object can have both: classes that inherit from each
                 other count as one object, a namedtuple is one too
    parameters   one that no call names: the first one has the same name in every function

The name of a namedtuple's type, which nobody reads, is the global's that holds it.

What may be asked for from outside keeps its name: what stands in a string or as a keyword of a
call, what MicroPython or a library of its own looks for (`known.txt`), and exceptions, whose names
a person reads.

known.txt holds every name of the ESP32's stubs and of the 32-bit build's flash; a `+` marks those
that cost nothing on any build, and that nobody asks an object for. `make names` writes it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

from flashing.linker.join import START, Part, reachable
from flashing.linker.scopes import Definitions, Functions, Imports, arguments, own

_LINES = Path(__file__).with_name("known.txt").read_text("ascii").split()
KNOWN = frozenset(line.lstrip("+") for line in _LINES)
# In every build's flash already, and nothing that MicroPython asks an object for.
FREE = tuple(line[1:] for line in _LINES if line.startswith("+"))
_ASKING = ("getattr", "hasattr", "setattr")


class Attributes:
    """Which attributes one object may have, seen while the classes are still whole."""

    def __init__(self, parts: list[Part]) -> None:
        tree = reachable(parts)
        tuples = [set(fields) for _, fields in _namedtuples(tree)]
        self.objects = [*_families(tree), *tuples]
        self.strange = set(_set_from_outside(tree))
        self.asked = set(asked(tree))

    def numbered(self, present: set[str], fixed: set[str]) -> dict[str, int]:
        """Attribute -> its number, of those present: no two of one object share it."""
        mine = {name for name in set().union(self.strange, *self.objects) & present - fixed}
        mine = {name for name in mine if not name.startswith("__")} - self.asked
        objects = [o & mine for o in self.objects]
        numbers: dict[str, int] = {}
        taken: list[set[int]] = [set() for _ in objects]
        by_use: dict[str, list[int]] = {
            name: [at for at, o in enumerate(objects) if name in o] for name in mine
        }
        for name in self.strange & mine:  # on what, nobody knows
            by_use[name] = list(range(len(objects)))
        for _, name in sorted((-len(places), name) for name, places in by_use.items()):
            number = 0
            while any(number in taken[at] for at in by_use[name]):
                number += 1
            for at in by_use[name]:
                taken[at].add(number)
            numbers[name] = number
        return numbers


def shorten(parts: list[Part], names: set[str], seen: Attributes) -> None:
    """Rename in place; `names` are the program's globals."""
    tree = reachable(parts)
    names = names | set(_renamed_imports(tree))
    called = keywords(tree)
    present = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    present |= {name for node in _classes(tree) for name in _own_attributes(node)}
    present |= {name for _, fields in _namedtuples(tree) for name in fields}
    attributes = seen.numbered(present, called | KNOWN)
    in_classes = {n.id for n in _class_level(tree)} & names
    last = max(attributes.values(), default=-1) + 1
    exceptions = {node.name for node in _classes(tree) if _is_exception(node)}
    given = sorted(names - {START} - exceptions, key=lambda name: (name in in_classes, name))
    called_now = _named(tree)
    short = {name: called_now(at) for at, name in enumerate(given) if name not in in_classes}
    # In the body of a class its own names hide a global of the same name.
    first = max(last, len(short))
    short |= {
        name: called_now(first + at) for at, name in enumerate(sorted(in_classes - exceptions))
    }
    by_dict = _by_dict(tree)
    defined = {node.name for node in ast.walk(tree) if isinstance(node, Definitions)}
    if by_dict - defined:  # whoever that calls
        called |= strings(tree)
    named = {name: called_now(at) for name, at in attributes.items()}
    renamed = _Rename(short, named, {part.name for part in parts})
    behind = first + len(in_classes)  # the globals, which a function may use too
    for statement in tree.body:
        _parameters(statement, called, by_dict, called_now, behind)
        renamed.visit(statement)


def _named(tree: ast.Module) -> Callable[[int], str]:
    """number -> a name that the program has not: one that costs nothing while there are some."""
    used = strings(tree) | keywords(tree)
    for node in ast.walk(tree):
        for field in ("id", "attr", "name", "arg", "asname"):
            used.add(getattr(node, field, None) or "")
    free = [name for name in FREE if name not in used]
    return lambda number: free[number] if number < len(free) else f"_{number - len(free)}"


# --- what keeps its name -----------------------------------------------------------------------
def keywords(tree: ast.Module) -> set[str]:
    return {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg}


def strings(tree: ast.Module) -> set[str]:
    """All but those that only name a namedtuple and its fields."""
    named = {id(n) for call, _ in _namedtuples(tree) for arg in call.args for n in ast.walk(arg)}
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in named
    }


def fields(tree: ast.Module) -> set[str]:
    """Of all namedtuples."""
    return {name for _, of in _namedtuples(tree) for name in of}


def _by_dict(tree: ast.Module) -> set[str]:
    """Functions (or classes) that are called with `**`: their parameters keep their names."""
    return {
        ast.unparse(node.func).split(".")[-1]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and any(k.arg is None for k in node.keywords)
    }


def _is_exception(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base).endswith(("Error", "Exception")) for base in node.bases)


def _renamed_imports(tree: ast.Module) -> Iterator[str]:
    """What comes from outside under a name that join made for it."""
    for node in tree.body:
        if isinstance(node, Imports):
            yield from (alias.asname for alias in node.names if alias.asname)


# --- attributes --------------------------------------------------------------------------------
def _classes(tree: ast.Module) -> list[ast.ClassDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


def _set_from_outside(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            own = isinstance(node.value, ast.Name) and node.value.id == "self"
            if not own:
                yield node.attr


def asked(tree: ast.Module) -> Iterator[str]:
    """Attributes that are asked for by a text; by any text where it is made when it runs."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in _ASKING:
            name = node.args[1]
            yield from [str(name.value)] if isinstance(name, ast.Constant) else strings(tree)


def _families(tree: ast.Module) -> list[set[str]]:
    """For each class and all that it inherits from or that inherits from it: their attributes."""
    family: dict[str, set[str]] = {}
    for node in _classes(tree):
        bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
        joined = {node.name}.union(*(family.get(base, {base}) for base in bases))
        for name in joined:
            family[name] = joined
    found: dict[int, set[str]] = {}
    for node in _classes(tree):
        found.setdefault(id(family[node.name]), set()).update(_own_attributes(node))
    return list(found.values())


def _own_attributes(node: ast.ClassDef) -> Iterator[str]:
    for inner in own(node.body):
        if isinstance(inner, Definitions):
            yield inner.name
        elif isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            yield inner.id
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute) and not isinstance(inner.ctx, ast.Load):
            yield inner.attr


def _class_level(tree: ast.Module) -> Iterator[ast.Name]:
    """Names that are read in the body of a class itself, defaults of its methods among them."""
    for node in _classes(tree):
        for inner in own(node.body):
            if isinstance(inner, Functions):
                for default in [*inner.args.defaults, *inner.args.kw_defaults]:
                    yield from (
                        n for n in ast.walk(default or inner.args) if isinstance(n, ast.Name)
                    )
                for decorator in getattr(inner, "decorator_list", ()):
                    yield from (n for n in ast.walk(decorator) if isinstance(n, ast.Name))
            elif isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load):
                yield inner


def _is_namedtuple(node: ast.Call) -> bool:
    return ast.unparse(node.func) == "namedtuple"


def _namedtuples(tree: ast.Module) -> Iterator[tuple[ast.Call, list[str]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_namedtuple(node):
            fields = ast.literal_eval(node.args[1])
            yield node, fields.split() if isinstance(fields, str) else list(fields)


# --- renaming ----------------------------------------------------------------------------------
class _Rename(ast.NodeVisitor):
    def __init__(self, names: dict[str, str], attributes: dict[str, str], parts: set[str]) -> None:
        self._names, self._attributes, self._parts = names, attributes, parts

    def visit_Name(self, node: ast.Name) -> None:
        node.id = self._names.get(node.id, node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        node.attr = self._attributes.get(node.attr, node.attr)
        self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> None:
        node.names = [self._names.get(name, name) for name in node.names]

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        node.name = self._names.get(node.name, node.name)
        self.generic_visit(node)

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        node.name = self._names.get(node.name, node.name)
        members = list(own(node.body))
        mine = {n.id for n in members if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        for inner in members:
            if isinstance(inner, Definitions):
                mine.add(inner.name)
                inner.name = self._attributes.get(inner.name, inner.name)
        for inner in members:
            if isinstance(inner, ast.Name) and inner.id in mine:
                inner.id = self._attributes.get(inner.id, inner.id)
        self.generic_visit(node)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        ours = isinstance(node, ast.ImportFrom) and node.module in self._parts
        for alias in node.names:
            alias.asname = alias.asname and self._names.get(alias.asname, alias.asname)
            alias.name = self._names.get(alias.name, alias.name) if ours else alias.name

    visit_ImportFrom = visit_Import  # type: ignore[assignment]

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        target, made = node.targets[0], node.value
        if isinstance(made, ast.Call) and _is_namedtuple(made) and isinstance(target, ast.Name):
            made.args[0] = ast.copy_location(ast.Constant(target.id), made.args[0])

    def visit_Call(self, node: ast.Call) -> None:
        if _is_namedtuple(node):
            fields = ast.literal_eval(node.args[1])
            fields = fields.split() if isinstance(fields, str) else fields
            new = [self._attributes.get(name, name) for name in fields]
            node.args[1] = ast.copy_location(ast.Constant(" ".join(new)), node.args[1])
        self.generic_visit(node)


def _parameters(
    node: ast.AST, called: set[str], by_dict: set[str], named: Callable[[int], str], first: int
) -> None:
    """Give them the names from number `first` on, but for those that are used inside."""
    if isinstance(node, ast.ClassDef) and node.name in by_dict:
        by_dict = by_dict | {"__init__"}
    for child in [node] if isinstance(node, Functions) else ast.iter_child_nodes(node):
        if not isinstance(child, Functions):
            _parameters(child, called, by_dict, named, first)
            continue
        inner = [n for n in ast.walk(child) if n is not child]
        again = set(_bound_inside(child))
        used = {n.id for n in inner if isinstance(n, ast.Name)}
        used |= {argument.arg for argument in arguments(child)}
        new: dict[str, str] = {}
        numbers = count(first)
        for argument in [*child.args.posonlyargs, *child.args.args]:
            name = argument.arg
            keeps = name in called | again or getattr(child, "name", "") in by_dict
            if not keeps and name != "self":
                argument.arg = new[name] = next(n for n in map(named, numbers) if n not in used)
        for n in inner:
            if isinstance(n, ast.Name):
                n.id = new.get(n.id, n.id)
            elif isinstance(n, ast.ExceptHandler) and n.name:
                n.name = new.get(n.name, n.name)
        below = [child.body] if isinstance(child, ast.Lambda) else child.body
        for statement in below:
            _parameters(statement, called, by_dict, named, first)


def _bound_inside(function: Functions) -> Iterator[str]:
    """Names bound by something in a function that is no plain variable of its own."""
    body = [function.body] if isinstance(function, ast.Lambda) else function.body
    mine = {id(node) for node in own(body)}
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, Functions):
                yield from (argument.arg for argument in arguments(node))
            if isinstance(node, Definitions):
                yield node.name
            elif isinstance(node, ast.ExceptHandler):
                yield "" if id(node) in mine else node.name or ""
            elif isinstance(node, ast.Nonlocal | ast.Global):
                yield from node.names
            elif isinstance(node, Imports):
                yield from (alias.asname or alias.name for alias in node.names)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield from () if id(node) in mine else (node.id,)
