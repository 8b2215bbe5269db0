"""The classes and functions of a linked program: who inherits from whom, what stands where."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flashing.linker.scopes import Definitions, Imports, arguments, own
from flashing.linker.tables import find

Function = ast.FunctionDef | ast.AsyncFunctionDef
Method = tuple[str, Function]  # the class it stands in, "" for a function


class Classes:
    """Names of globals must be unique, as after join."""

    def __init__(self, tree: ast.Module) -> None:
        self.nodes = list(ast.walk(tree))
        self.classes = {n.name: n for n in tree.body if isinstance(n, ast.ClassDef)}
        self.functions = {n.name: n for n in tree.body if isinstance(n, Function)}
        self.tuples = dict(_namedtuples(tree))
        self.modules = {
            a.asname or a.name for n in tree.body if isinstance(n, ast.Import) for a in n.names
        }
        self.inside: dict[int, tuple[Function | None, str]] = {}  # node -> function, class
        self._place(tree, None, "")
        all_functions = [node for node in self.nodes if isinstance(node, Function)]
        self.locals = {id(f): own_names(f) for f in all_functions}
        self.owned: list[Method] = [(self._owner(f), f) for f in all_functions]
        self.tables = {id(call): t for t in find(tree) for call in t.calls}
        self.called = {id(node.func) for node in self.nodes if isinstance(node, ast.Call)}
        self.called |= {id(v) for table in self.tables.values() for v in table.values}
        self.values = set(self._used_as_values())
        self.classes_here = dict(self._imported_inside())
        self.returns: dict[int, list[ast.expr | None]] = {id(f): [] for f in all_functions}
        self.generators: set[int] = set()
        for node in self.nodes:
            function = self.inside.get(id(node), (None, ""))[0]
            if isinstance(node, ast.Return) and function is not None:
                self.returns[id(function)].append(node.value)
            elif isinstance(node, ast.Yield | ast.YieldFrom) and function is not None:
                self.generators.add(id(function))

    # --- inheritance ---------------------------------------------------------------------------
    def ancestors(self, name: str) -> list[str]:
        """The class and those of ours that it inherits from, in the order they are asked."""
        found = [name]
        for base in self.classes[name].bases if name in self.classes else ():
            if isinstance(base, ast.Name) and base.id in self.classes:
                found += self.ancestors(base.id)
        return found

    def family(self, name: str) -> str:
        """One class that stands for all that inherit from it."""
        return self.ancestors(name)[-1]

    def heirs(self, name: str) -> list[str]:
        return [other for other in self.classes if name in self.ancestors(other)]

    def members(self, name: str) -> dict[str, ast.stmt]:
        """Methods and inner classes of one class."""
        return {m.name: m for m in own(self.classes[name].body) if isinstance(m, Definitions)}

    def method(self, name: str, attribute: str) -> Method | None:
        """What `attribute` of an instance of `name` is, where that is a method."""
        for owner in self.ancestors(name) if name in self.classes else ():
            found = self.members(owner).get(attribute)
            if isinstance(found, Function):
                return owner, found
        return None

    # --- where things are ------------------------------------------------------------------------
    def _place(self, node: ast.AST, function: Function | None, owner: str) -> None:
        for child in ast.iter_child_nodes(node):
            self.inside[id(child)] = (function, owner)
            if isinstance(child, Function):
                self._place(child, child, owner)
            elif isinstance(child, ast.ClassDef):
                self._place(child, function, child.name)
            else:
                self._place(child, function, owner)

    def home(self, node: ast.AST, name: str) -> object:
        """The function whose variable `name` is, where it stands at `node`; "" for a global."""
        function = self.inside[id(node)][0]
        while function is not None:
            if name in self.locals[id(function)]:
                return id(function)
            function = self.inside[id(function)][0]
        return ""

    def is_self(self, node: ast.Name) -> bool:
        """Whether it is the first parameter of a method."""
        function, owner = self.inside[id(node)]
        if function is None or not owner or self.home(node, node.id) != id(function):
            return False
        given = arguments(function)
        return bool(given) and given[0].arg == node.id and not function.decorator_list

    def _owner(self, function: Function) -> str:
        around, owner = self.inside[id(function)]
        return owner if around is None else ""

    def _used_as_values(self) -> Iterator[int]:
        """Functions and classes that somebody else may call: named, and not called there."""
        names = {n.id for n in self.nodes if isinstance(n, ast.Name) and id(n) not in self.called}
        plain = set(self._mentioned())
        handed = {
            n.id
            for n in self.nodes
            if isinstance(n, ast.Name) and id(n) not in self.called | plain and n.id in self.classes
        }
        for owner, function in self.owned:
            handed_on = function.name == "__init__" and handed & set(self.heirs(owner))
            if handed_on or (not owner and function.name in names):
                yield id(function)

    def _mentioned(self) -> Iterator[int]:
        """Names of classes where nobody gets the class: `C.x`, bases, isinstance, except."""
        for node in self.nodes:
            if isinstance(node, ast.Attribute):
                yield id(node.value)
            elif isinstance(node, ast.ClassDef):
                yield from (id(base) for base in node.bases)
            elif isinstance(node, ast.ExceptHandler) and node.type is not None:
                yield from (id(n) for n in ast.walk(node.type))
            elif isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance":
                yield from (id(n) for n in ast.walk(node.args[1]))

    def _imported_inside(self) -> Iterator[tuple[tuple[object, str], str]]:
        """(function, name there) -> class, of what functions import from another part."""
        for node in self.nodes:
            if isinstance(node, ast.ImportFrom) and self.inside[id(node)][0] is not None:
                for alias in node.names:
                    if alias.name in self.classes:
                        here = alias.asname or alias.name
                        yield (self.home(node, here), here), alias.name

    def is_function(self, node: ast.expr) -> bool:
        """Whether it is a function or a method as a value."""
        if isinstance(node, ast.Attribute):
            return any(function.name == node.attr for _, function in self.owned)
        named = isinstance(node, ast.Name) and (node.id in self.functions or bool(self.made(node)))
        return named or isinstance(node, ast.Lambda)

    def made(self, name: ast.Name) -> str:
        """The class that is called by this name, or ""."""
        if name.id in self.classes:
            return name.id
        return self.classes_here.get((self.home(name, name.id), name.id), "")


def own_names(function: Function) -> set[str]:
    """Its parameters and variables."""
    names = {argument.arg for argument in arguments(function)}
    outer: set[str] = set()
    for node in own(function.body):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, Definitions | ast.ExceptHandler):
            names.add(node.name or "")
        elif isinstance(node, Imports):
            names |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Global | ast.Nonlocal):
            outer.update(node.names)
    return names - outer


def defaults(function: Function) -> Iterator[tuple[str, ast.expr]]:
    """(parameter, its default)."""
    given = function.args
    plain = [a.arg for a in [*given.posonlyargs, *given.args]]
    yield from zip(plain[len(plain) - len(given.defaults) :], given.defaults, strict=True)
    for argument, value in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        if value is not None:
            yield argument.arg, value


def _namedtuples(tree: ast.Module) -> Iterator[tuple[str, list[str]]]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            target = node.targets[0]
            if ast.unparse(node.value.func) == "namedtuple" and isinstance(target, ast.Name):
                fields = ast.literal_eval(node.value.args[1])
                yield target.id, fields.split() if isinstance(fields, str) else list(fields)
