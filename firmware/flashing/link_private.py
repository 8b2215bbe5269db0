"""Private names that several classes use for different things get a name for each class.

`self._take` of a queue and `self._take` of a receiver are strangers. Told apart, each is known by
its name alone, which is all that link_merge and link_short go by. A name that is ever used on
anything but `self` or a class stays as it is.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flashing.link_join import Part, reachable
from flashing.link_scopes import Definitions, own

Use = tuple[str, str, ast.AST, str]  # private name, class ("": nobody knows), node, its field


def tell_apart(parts: list[Part]) -> None:
    """Rename in place."""
    tree = reachable(parts)
    family = _families(tree)
    uses: dict[str, list[Use]] = {}
    for use in _uses(tree, "", family):
        uses.setdefault(use[0], []).append(use)
    for name, places in uses.items():
        owners = {family.get(owner, "") for _, owner, _, _ in places}
        if "" in owners or len(owners) < 2:
            continue
        for _, owner, node, field in places:
            setattr(node, field, f"{name}_of_{family[owner]}")


def _families(tree: ast.Module) -> dict[str, str]:
    """Class -> one class that stands for all that inherit from each other."""
    family: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            family[node.name] = node.name
            for base in node.bases:
                if isinstance(base, ast.Name) and base.id in family:
                    old, new = family[node.name], family[base.id]
                    family = {key: new if value == old else value for key, value in family.items()}
    return family


def _uses(node: ast.AST, inside: str, family: dict[str, str]) -> Iterator[Use]:
    if isinstance(node, ast.Attribute) and _is_private(node.attr):
        value = node.value.id if isinstance(node.value, ast.Name) else ""
        owner = inside if value == "self" else value if value in family else ""
        yield node.attr, owner, node, "attr"
    if isinstance(node, ast.ClassDef):
        inside = node.name
        for member in own(node.body):
            if isinstance(member, Definitions) and _is_private(member.name):
                yield member.name, inside, member, "name"
            elif isinstance(member, ast.Name) and _is_private(member.id):
                yield member.id, inside, member, "id"
    for child in ast.iter_child_nodes(node):
        yield from _uses(child, inside, family)


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"
