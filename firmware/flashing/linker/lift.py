"""Methods of a linked program that are only ever called become functions.

`self._pause(1)` and a function `_pause(self, 1)` say the same, once methods.py has seen to it that
the name is nobody else's. For a method that can be no case of another function (a generator, say)
that costs as much as before; but a class that has none left needs no class (bags.py).
"""

from __future__ import annotations

import ast
from collections import Counter

from flashing.linker.join import ENTRY, Part, reachable
from flashing.linker.scopes import Definitions, is_of_object, own
from flashing.linker.short import KNOWN, fields, keywords, strings


def lift(parts: list[Part], names: set[str]) -> None:
    """Change the classes of the main part in place; `names` gains the functions."""
    main = next(part for part in parts if part.name == ENTRY)
    tree = reachable(parts)
    called = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    taken = keywords(tree) | strings(tree) | KNOWN | fields(tree) | names
    taken |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    defined: Counter[str] = Counter()
    uses: dict[str, list[ast.Attribute]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            uses.setdefault(node.attr, []).append(node)
            if not is_of_object(node, tree):
                taken.add(node.attr)
        elif isinstance(node, ast.ClassDef):
            for member in own(node.body):
                if isinstance(member, Definitions):
                    defined[member.name] += 1
                elif isinstance(member, ast.Name) and isinstance(member.ctx, ast.Store):
                    defined[member.id] += 1
    heirs = {
        base.id
        for node in main.body
        if isinstance(node, ast.ClassDef)
        for base in node.bases
        if isinstance(base, ast.Name)
    }
    body: list[ast.stmt] = []
    for owner in main.body:
        body.append(owner)
        if not isinstance(owner, ast.ClassDef) or owner.bases or owner.name in heirs:
            continue
        for member in list(owner.body):
            if not isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            name = member.name
            if name in taken or name.startswith("__") or defined[name] != 1:
                continue
            if member.decorator_list or any(id(use) not in called for use in uses.get(name, ())):
                continue
            if any(isinstance(n, ast.Name) and n.id == "super" for n in ast.walk(member)):
                continue
            owner.body.remove(member)
            owner.body = owner.body or [ast.Pass()]
            body.append(member)
            names.add(name)
            for use in uses.get(name, ()):
                call = called[id(use)]
                call.args.insert(0, use.value)
                call.func = ast.Name(name, ast.Load())
    main.body = body
