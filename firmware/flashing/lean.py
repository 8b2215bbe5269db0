"""The unit's program with fewer names, before it is compiled: on MicroPython every name costs RAM.

Wherever the code itself lies, each name in it is an entry of a table on the heap (7 bytes on
32 bits, 11 on 64), each constant of a module a slot of a dictionary; and the table of names doubles
as it grows: beyond 1,270 of them it takes a block of 9 KB, larger than a unit can be sure to find.
So, over the whole program at once:

    numbers      `NAME = 1500` of a module is written where it is used, in every module, and goes
    parameters   one that no call names becomes p0, p1 …: all functions share those
    inner names  private ones (`_name`), and what only one module knows, become _0, _1 …, which all
                 modules share that do not share the name

Every line stays where it is, so the line in a traceback is the source's. What cannot be proved is
left alone: a name that also stands in a call as keyword, in a string, or comes from outside.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from flashing.lean_module import Module, is_private


def shorten(sources: dict[str, str]) -> dict[str, str]:
    """Return dotted module name -> source, of a whole program given in the same way."""
    modules = {name: Module(name, text) for name, text in sources.items()}
    program = _Program(modules)
    for module in modules.values():
        module.edit_statements(program)
        module.edit_names(program)
        module.edit_parameters(program)
    return {name: module.edited() for name, module in modules.items()}


class _Program:
    """What is only known over all modules."""

    def __init__(self, modules: dict[str, Module]) -> None:
        self.modules = modules
        everything = [node for module in modules.values() for node in module.nodes]
        self.fixed = set(_fixed(everything))
        self.fixed |= {text for module in modules.values() for text in module.strings}
        self.numbers: dict[str, dict[str, int]] = {name: {} for name in modules}
        self._find_numbers()
        self.short = self._shorten_inner()

    def _find_numbers(self) -> None:
        """Every constant, by the module that defines it and by those that import it."""
        shadowed = {name for module in self.modules.values() for name in module.bound_again}
        attributes = {
            node.attr
            for module in self.modules.values()
            for node in module.nodes
            if isinstance(node, ast.Attribute) and module.target(node, self.modules) is None
        }
        hidden = {key for module in self.modules.values() for key in module.hidden_imports()}
        never = shadowed | attributes | hidden | self.fixed
        found = True
        while found:  # until no module learns another one: they import from each other
            found = False
            for name, module in self.modules.items():
                known = self.numbers[name]
                for key, value in module.numbers(known, self.numbers):
                    if key not in known and key not in never:
                        known[key] = value
                        found = True

    def _shorten_inner(self) -> dict[str, str]:
        """Inner name -> its short one: no two names of one group share it."""
        groups = self._groups()
        known_to: dict[str, set[str]] = {}
        for name, module in self.modules.items():
            for key in module.names:
                known_to.setdefault(key, set()).add(name)
        taken: dict[str, set[int]] = {group: set() for group in groups.values()}
        short: dict[str, str] = {}
        for key in sorted(self._inner(known_to), key=lambda key: (-len(known_to[key]), key)):
            here = {groups[name] for name in known_to[key]}
            number = 0
            while any(number in taken[group] for group in here):
                number += 1
            for group in here:
                taken[group].add(number)
            short[key] = f"_{number}"
        return short

    def _inner(self, known_to: dict[str, set[str]]) -> set[str]:
        """Names that nothing outside the program can ask for."""
        modules = self.modules.values()
        imported = {name for module in modules for name in module.imports(self.modules)}
        visible = {key for module in modules for key in module.visible} | self.fixed
        inner = {key for module in modules for key in module.defined if is_private(key)}
        for module in modules:
            own = module.attributes | (module.globals if module.name in imported else set())
            inner |= {key for key in own if len(known_to[key]) == 1 and not key.startswith("__")}
        return inner - visible

    def _groups(self) -> dict[str, str]:
        """Modules whose classes inherit from each other share their objects' names."""
        group = {name: name for name in self.modules}
        for name, module in self.modules.items():
            for base in module.bases(self.modules):
                old, new = group[name], group[base]
                group = {key: new if value == old else value for key, value in group.items()}
        return group


def _fixed(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Names that must stay: keywords of calls, and whatever stands in an f-string."""
    for node in nodes:
        if isinstance(node, ast.keyword) and node.arg:
            yield node.arg
        elif isinstance(node, ast.JoinedStr):  # its parts have no true place in the text
            for part in ast.walk(node):
                if isinstance(part, ast.Name):
                    yield part.id
                elif isinstance(part, ast.Attribute):
                    yield part.attr
