"""A function or method of a linked program that may become a case of another one (merge)."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from flashing.linker.scopes import Comprehensions, Functions, Imports

Plain = ast.FunctionDef


@dataclass
class Case:
    key: str  # its name; with a dot before it, a method's
    function: Plain
    owner: ast.ClassDef | None
    makes: bool = False  # it begins an object: the class's name calls it
    into: str = ""
    number: int = 0

    @property
    def parameters(self) -> list[str]:
        return [argument.arg for argument in self.function.args.args]

    def default(self, at: int) -> ast.expr | None:
        """What the parameter at that place is when it is not given."""
        defaults = self.function.args.defaults
        back = len(self.parameters) - at
        return defaults[-back] if back <= len(defaults) else None


def is_plain(function: Plain) -> bool:
    """No generator, nothing inside that has a scope of its own, only plain parameters."""
    given = function.args
    if function.decorator_list or given.vararg or given.kwarg or given.kwonlyargs:
        return False
    inner = [node for statement in function.body for node in ast.walk(statement)]
    scopes = (Functions, ast.ClassDef, Comprehensions)
    never = (ast.Yield, ast.YieldFrom, ast.Await, ast.Global, ast.Nonlocal, *Imports.__args__)
    supers = any(isinstance(n, ast.Name) and n.id == "super" for n in inner)
    return not supers and not any(isinstance(n, (*scopes, *never)) for n in inner)
