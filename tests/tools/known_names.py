"""Write firmware/flashing/linker/known.txt: the names that MicroPython has already (make names).

Needed after a change of the stubs or of the 32-bit build. Its lines are

    every name that the stubs of the ESP32's modules define or pass on: a library may look for it;
    every name in the flash of the 32-bit build (micropython32.sh leaves them in `names`):
    MicroPython itself may;

and `+` stands before those that are in that flash and defined at the level of a module, by these or
by CPython's stubs: every build has them, so they cost no heap, and nobody asks an object for them.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from pathlib import Path

from tests.fakes.interpreters import BUILT_32

ROOT = Path(__file__).resolve().parents[2]
STUBS = ROOT / ".venv-unit/typings"
BUILT = BUILT_32 / "names"
KNOWN = ROOT / "firmware/flashing/linker/known.txt"
TYPING = ("typing", "typing_extensions", "_typeshed", "_mpy_shed", "abc", "collections.abc")
# Of CPython's modules those that MicroPython has too, of which only the names in a flash count. Not
# os, whose names it asks of file systems, nor asyncio, which finds its own by their names.
STDLIB = ("array", "collections/__init__", "io", "json/__init__", "re", "struct")
FOLDED = "const"  # the compiler's own: never called


def text() -> str:
    """What known.txt should hold."""
    ours = [_tree(path) for path in sorted(STUBS.glob("*.pyi"))]
    theirs = [_tree(path) for name in STDLIB for path in STUBS.glob(f"stdlib/{name}.pyi")]
    stubbed = {name for tree in ours for node in ast.walk(tree) for name in _defined(node)}
    at_top = {name for tree in ours + theirs for node in tree.body for name in _defined(node)}
    built = set(BUILT.read_text("ascii").split())
    free = {n for n in at_top & built if n[0] != "_" and n not in dir(builtins)} - {FOLDED}
    return "".join(f"{'+' * (n in free)}{n}\n" for n in sorted(stubbed | built))


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def _defined(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id
    elif isinstance(node, ast.ImportFrom) and not (node.module or "").startswith(TYPING):
        yield from (alias.asname or alias.name for alias in node.names if alias.name != "*")


if __name__ == "__main__":
    KNOWN.write_text(text(), "ascii")
