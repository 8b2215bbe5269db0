"""Many modules to few: each part is one module, in which every global has a name of its own.

A part begins with what the program starts from, or with a module that is imported inside a function
(`from drivers.lte import Lte` on boards that have a modem), and takes in what no other part has.
The bodies follow each other in the order in which Python would run them. An import within the
program vanishes; one from outside stands where the first of them stood.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from flashing.errors import FlashError
from flashing.linker.modules import ENTRY, Bare, Module, read
from flashing.linker.origins import same
from flashing.linker.scopes import Imports

START = "run"  # the function of it that starts it; its name stays
_LATER = re.compile(r"k|[a-z]\d+")  # what merge and short call parameters and variables
PART = "unit_"  # and the others': this and their last name


@dataclass
class Part:
    """One module of the linked program."""

    name: str
    body: list[ast.stmt] = field(default_factory=list)


class Joined:
    """`parts` in the order in which they may be imported; `globals`: what the program defines."""

    def __init__(self, texts: dict[str, str], entry: str) -> None:
        bare = Bare(texts)
        self._modules = {name: read(name, text, bare) for name, text in texts.items()}
        self._patched = set(self._set_from_elsewhere())
        self.globals: set[str] = set()
        self._outside: dict[tuple[str, str], str] = {}  # (module, name or "") -> its name here
        self._taken = set(dir(builtins)) | {
            n for m in self._modules.values() for n in m.scopes.locals
        }
        self.parts = [Part(name) for name in self._assign_parts(entry)]
        for module in self._parted():
            self._name_globals(module, entry)
        for module in self._parted():
            self._resolve(module)
        for part in self.parts:
            self._fill(part)

    def _set_from_elsewhere(self) -> Iterator[tuple[str, str]]:
        """(module, name) of what another module sets, as in `adafruit_gps.time = …`."""
        for module in self._modules.values():
            whole = self._whole(module)
            for node in ast.walk(module.tree):
                if not (isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)):
                    continue
                if isinstance(node.value, ast.Name) and node.value.id in whole:
                    yield whole[node.value.id], node.attr

    def _parted(self) -> list[Module]:
        return [module for module in self._modules.values() if module.part]

    # --- which module goes where ---------------------------------------------------------------
    def _assign_parts(self, entry: str) -> list[str]:
        """Give every module that is reached its part. Returns the parts' names."""
        main = self._reached(entry)
        for name in main:
            self._modules[name].part = ENTRY
        late = [n for name in main for n in self._imported(self._modules[name].tree, False)]
        reached = {
            name: self._reached(name) - main for name in dict.fromkeys(late) if name not in main
        }
        for name, inside in reached.items():
            for other in inside:
                shared = sum(other in of for of in reached.values()) > 1
                self._modules[other].part = ENTRY if shared else PART + name.split(".")[-1]
        return [ENTRY, *(PART + name.split(".")[-1] for name in reached)]

    def _reached(self, start: str) -> set[str]:
        found: set[str] = set()
        todo = [start]
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo += self._imported(self._modules[name].tree, True)
        return found

    def _imported(self, tree: ast.Module, at_top: bool) -> Iterator[str]:
        """The program's modules that are imported at the top of a module, or only further in."""
        top = [node for node in tree.body if isinstance(node, Imports)]
        for node in top if at_top else (n for n in ast.walk(tree) if n not in top):
            if isinstance(node, Imports):
                yield from (name for name, _, _ in self._targets(node) if name)

    def _targets(self, node: Imports) -> Iterator[tuple[str, str, ast.alias]]:
        """(module of the program or "", name in it or "" for the module itself, alias)."""
        for alias in node.names:
            if isinstance(node, ast.Import):
                yield (alias.name if alias.name in self._modules else ""), "", alias
            elif f"{node.module}.{alias.name}" in self._modules:
                yield f"{node.module}.{alias.name}", "", alias
            elif node.module in self._modules:
                yield node.module or "", alias.name, alias
            else:
                yield "", alias.name, alias

    # --- what is called how --------------------------------------------------------------------
    def _name_globals(self, module: Module, entry: str) -> None:
        imported = {a.asname or a.name.split(".")[0] for _, _, _, a in self._top_imports(module)}
        for name in module.scopes.globals:
            if name not in imported or (module.name, name) in self._patched:
                keeps = name == START and module.name == entry
                module.names[name] = name if keeps else self._new(name)
                self.globals.add(module.names[name])

    def _new(self, name: str) -> str:
        number = 1
        new = name
        while new in self._taken or _LATER.fullmatch(new):
            number += 1
            new = f"{name}_{number}"
        self._taken.add(new)
        return new

    def _outside_name(self, module: str, name: str, alias: ast.alias) -> str:
        key = (module, name)
        if key not in self._outside:
            self._outside[key] = self._new(alias.asname or alias.name)
        return self._outside[key]

    def _resolve(self, module: Module) -> None:
        """Every global of the module by its name in the program."""
        for node, origin, name, alias in self._top_imports(module):
            here = alias.asname or alias.name
            if origin and name:
                module.names[here] = self._name_in(origin, name)
            elif not origin and here not in module.names:
                module.names[here] = self._outside_name(_outer(node, alias), name, alias)
        _Whole(self, module, self._whole(module)).visit(module.tree)
        for name, places in module.scopes.globals.items():
            if name in module.names:
                for place in places:
                    place.rename(module.names[name])

    def _top_imports(self, module: Module) -> Iterator[tuple[Imports, str, str, ast.alias]]:
        """All that is imported at its top, but for `const`, which is known here."""
        for node in module.tree.body:
            if isinstance(node, ast.Import) or (
                isinstance(node, ast.ImportFrom) and node.module != "micropython"
            ):
                for origin, name, alias in self._targets(node):
                    yield node, origin, name, alias

    def _whole(self, module: Module) -> dict[str, str]:
        """Name here -> module of the program that it stands for."""
        rows = self._top_imports(module)
        return {a.asname or a.name: origin for _, origin, name, a in rows if origin and not name}

    def _name_in(self, origin: str, name: str) -> str:
        """What the program calls `name` of a module, wherever that has it from."""
        module = self._modules[origin]
        if name not in module.names:
            for node, further, its_name, alias in self._top_imports(module):
                if (alias.asname or alias.name) != name:
                    continue
                if further:
                    return self._name_in(further, its_name)
                return self._outside_name(_outer(node, alias), its_name, alias)
            # An attribute that somebody else sets.
            module.names[name] = self._new(name)
            self.globals.add(module.names[name])
        return module.names[name]

    def part_of(self, module: str) -> str:
        return self._modules[module].part

    def name_in(self, origin: str, name: str) -> str:
        return self._name_in(origin, name)

    def targets(self, node: Imports) -> Iterator[tuple[str, str, ast.alias]]:
        return self._targets(node)

    # --- one body ------------------------------------------------------------------------------
    def _fill(self, part: Part) -> None:
        done: set[str] = set()
        brought: set[str] = set()
        roots = [m.name for m in self._modules.values() if m.part == part.name]
        first = [name for name in roots if self._starts(name, part.name)]

        def add(name: str) -> None:
            if name in done or self._modules[name].part != part.name:
                return
            done.add(name)
            rest: list[ast.stmt] = []
            for node in self._modules[name].tree.body:
                if not isinstance(node, Imports):
                    rest.append(node)
                    continue
                for origin, item, alias in self._targets(node):
                    if origin:
                        add(origin)
                    elif ast.unparse(node) != "from micropython import const":
                        here = self._modules[name].names[alias.asname or alias.name]
                        if here not in brought:
                            brought.add(here)
                            part.body.append(_import(node, _outer(node, alias), item, here))
            part.body.extend(rest)

        for name in first:
            add(name)

    def _starts(self, name: str, part: str) -> bool:
        if part == ENTRY:
            return not any(
                name in self._imported(m.tree, True)
                for m in self._modules.values()
                if m.part == part
            )
        return PART + name.split(".")[-1] == part


def _outer(node: Imports, alias: ast.alias) -> str:
    """The module that it is from."""
    return alias.name if isinstance(node, ast.Import) else node.module or ""


def _import(node: Imports, outer: str, item: str, here: str) -> ast.stmt:
    new: ast.stmt
    if isinstance(node, ast.Import):
        new = ast.Import([ast.alias(outer, None if here == outer else here)])
    else:
        new = ast.ImportFrom(outer, [ast.alias(item, None if here == item else here)], 0)
    same(new, node)
    return new


class _Whole(ast.NodeTransformer):
    """`module.name` becomes the name; imports inside functions become what is left of them."""

    def __init__(self, joined: Joined, module: Module, whole: dict[str, str]) -> None:
        self._joined, self._module, self._whole = joined, module, whole
        self._places = {
            id(place.node): name
            for name, places in module.scopes.globals.items()
            if name in whole
            for place in places
        }

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and id(node.value) in self._places:
            origin = self._whole[self._places[id(node.value)]]
            name = self._joined.name_in(origin, node.attr)
            return ast.copy_location(ast.Name(name, node.ctx), node)
        self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if id(node) in self._places:
            raise FlashError(f"link: {self._module.name} uses the module {node.id} as a value")
        return node

    def _inner(self, node: Imports) -> ast.AST | list[ast.stmt]:
        if node in self._module.tree.body:
            return node
        new: list[ast.stmt] = []
        for origin, name, alias in self._joined.targets(node):
            if not origin:
                return node
            if not name:
                raise FlashError(f"link: {self._module.name} imports {origin} inside a function")
            here, known = alias.asname or alias.name, self._joined.name_in(origin, name)
            part = self._joined.part_of(origin)
            statement: ast.stmt
            if part == self._module.part:
                statement = ast.Assign([ast.Name(here, ast.Store())], ast.Name(known, ast.Load()))
            else:
                statement = ast.ImportFrom(part, [ast.alias(known, here)], 0)
            same(statement, node)
            new.append(ast.fix_missing_locations(ast.copy_location(statement, node)))
        return new

    visit_Import = _inner  # type: ignore[assignment]
    visit_ImportFrom = _inner  # type: ignore[assignment]


def reachable(parts: Iterable[Part]) -> ast.Module:
    """All parts as one tree, for what must be known of the whole program."""
    return ast.Module([statement for part in parts for statement in part.body], [])
