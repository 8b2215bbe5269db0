"""One module of a program that is being shortened (lean.py): its names, and edits of its text."""

from __future__ import annotations

import ast
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

Functions = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Definitions = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Span = tuple[int, int, int, int]  # line, column, end line, end column; columns are bytes of UTF-8
_PARSING = threading.Lock()  # Python 3.11's ast.parse: SystemError from two threads at once
SMALL = 1 << 30  # a whole number below lies in the code itself, on 32 bits too
_OPERATIONS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: int.__add__,
    ast.Sub: int.__sub__,
    ast.Mult: int.__mul__,
    ast.FloorDiv: int.__floordiv__,
    ast.LShift: int.__lshift__,
    ast.Pow: int.__pow__,
}


class Names(Protocol):
    """What is decided over the whole program: see lean.py."""

    modules: dict[str, Module]
    fixed: set[str]
    numbers: dict[str, dict[str, int]]
    short: dict[str, str]


class Module:
    """One module: its tree, and the edits that are to be made in its text."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self._lines = text.encode().split(b"\n")
        with _PARSING:
            self.tree = ast.parse(text)
        self.nodes = list(ast.walk(self.tree))
        self._edits: dict[Span, str] = {}
        self._replaced: list[Span] = []
        self._own = {key for key, _ in self._assignments()}
        self.names: set[str] = set()  # every identifier but parameters and keywords
        self.defined: set[str] = set()  # bound here: variables, attributes, functions, classes
        self.attributes: set[str] = set()  # of objects, set here
        self.visible: set[str] = set()  # known by more than their place in the code
        self.strings: set[str] = set()  # one of them may be a name that is asked for
        times: Counter[str] = Counter()  # how often a variable is bound
        for node in self.nodes:
            if isinstance(node, ast.Name | ast.Attribute):
                key = node.id if isinstance(node, ast.Name) else node.attr
                self.names.add(key)
                if not isinstance(node.ctx, ast.Load):
                    self.defined.add(key)
                    if isinstance(node, ast.Name):
                        times[key] += 1
                    else:
                        self.attributes.add(key)
            elif isinstance(node, Definitions):
                self.names.add(node.name)
                self.defined.add(node.name)
                times[node.name] += 1
            elif isinstance(node, ast.alias):
                key = node.asname or node.name
                self.names.add(key)
                (self.defined if is_private(key) and node.asname else self.visible).add(key)
            elif isinstance(node, ast.arg):
                times[node.arg] += 1
                self.visible.add(node.arg)
            elif isinstance(node, ast.Global | ast.Nonlocal):
                times.update(node.names)
                self.visible.update(node.names if isinstance(node, ast.Nonlocal) else ())
            elif isinstance(node, ast.ExceptHandler) and node.name:
                self.visible.add(node.name)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                self.strings.add(node.value)
        self.bound_again = {key for key, n in times.items() if n > (key in self._own)}
        self.globals = self._own | {  # not classes: their names are printed
            n.name for n in self.tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
        }

    # --- what it says ------------------------------------------------------------------------
    def _assignments(self) -> Iterator[tuple[str, ast.expr]]:
        """(name, value) of every plain assignment of the module itself."""
        for statement in self.tree.body:
            if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
                yield from _pairs(statement.targets[0], statement.value)

    def numbers(
        self, known: dict[str, int], elsewhere: dict[str, dict[str, int]]
    ) -> Iterator[tuple[str, int]]:
        """(name, value) of the constants it defines or imports, as far as they are known yet."""
        for key, value in self._assignments():
            number = _number(value, known)
            if number is not None and abs(number) < SMALL and not key.startswith("__"):
                yield key, number
        for node in self.tree.body:
            if isinstance(node, ast.ImportFrom) and node.module in elsewhere:
                for alias in node.names:
                    if alias.name in elsewhere[node.module] and alias.asname is None:
                        yield alias.name, elsewhere[node.module][alias.name]

    def hidden_imports(self) -> Iterator[str]:
        """Names that it imports inside a function or under another name."""
        for node in self.nodes:
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if alias.asname is not None or node not in self.tree.body:
                        yield alias.name

    def target(self, node: ast.Attribute, modules: Iterable[str]) -> str | None:
        """The program's module that `node` takes an attribute of, or None."""
        if isinstance(node.value, ast.Name) and isinstance(node.ctx, ast.Load):
            return self._modules(modules).get(node.value.id)
        return None

    def _modules(self, modules: Iterable[str]) -> dict[str, str]:
        """Name here -> module, of those of the program that it imports as a whole."""
        found: dict[str, str] = {}
        for node in self.nodes:
            if isinstance(node, ast.ImportFrom):
                whole = {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
                found |= {key: name for key, name in whole.items() if name in modules}
            elif isinstance(node, ast.Import):
                found |= {a.asname or a.name: a.name for a in node.names if a.name in modules}
        return found

    def bases(self, modules: Iterable[str]) -> Iterator[str]:
        """The program's modules that its classes inherit from."""
        whole = self._modules(modules)
        origin = {
            alias.asname or alias.name: node.module or ""
            for node in self.nodes
            if isinstance(node, ast.ImportFrom) and (node.module or "") in modules
            for alias in node.names
        }
        for node in self.nodes:
            for base in node.bases if isinstance(node, ast.ClassDef) else ():
                if isinstance(base, ast.Name) and base.id in origin:
                    yield origin[base.id]
                elif ast.unparse(base).split(".")[0] in whole:
                    yield whole[ast.unparse(base).split(".")[0]]

    def imports(self, modules: Iterable[str]) -> Iterator[str]:
        """The program's modules that it imports."""
        yield from self._modules(modules).values()
        for node in self.nodes:
            if isinstance(node, ast.ImportFrom) and (node.module or "") in modules:
                yield node.module or ""

    # --- edits -------------------------------------------------------------------------------
    def edit_statements(self, program: Names) -> None:
        """Constants that are no longer needed, and imports without them."""
        numbers = program.numbers[self.name]
        for node in self.nodes:
            new = None
            if isinstance(node, ast.Assign) and node in self.tree.body:
                targets = [key for key, _ in _pairs(node.targets[0], node.value)]
                if targets and all(key in numbers for key in targets):
                    new = "pass"
            elif isinstance(node, ast.ImportFrom):
                known = program.numbers.get(node.module or "", {})
                kept = [a for a in node.names if not (a.name in known and a.name in numbers)]
                names = ", ".join(_alias(a, program.short) for a in kept)
                if names != ", ".join(_alias(a, {}) for a in node.names):
                    new = f"from {node.module} import {names}" if kept else "pass"
            if new is not None and isinstance(node, ast.stmt):
                span = _span(node)
                self._edits[span] = new + "\n" * (span[2] - span[0])
                self._replaced.append(span)

    def edit_names(self, program: Names) -> None:
        """Constants by their value, private names by their short ones."""
        numbers, short = program.numbers[self.name], program.short
        for node in self.nodes:
            if isinstance(node, ast.Name):
                if node.id in numbers and isinstance(node.ctx, ast.Load):
                    self._edit(_span(node), _text(numbers[node.id]))
                elif node.id in short:
                    self._edit(_span(node), short[node.id])
            elif isinstance(node, ast.Attribute):
                origin = self.target(node, program.modules)
                if origin and node.attr in program.numbers[origin]:
                    self._edit(_span(node), _text(program.numbers[origin][node.attr]))
                elif node.attr in short:
                    line, end = node.end_lineno or 0, node.end_col_offset or 0
                    self._edit((line, end - len(node.attr), line, end), short[node.attr])
            elif isinstance(node, Definitions) and node.name in short:
                self._edit(
                    self._after("(?:async +)?(?:def|class) +", node.name, node), short[node.name]
                )
            elif isinstance(node, ast.Global):
                for name in node.names:
                    if name in short:
                        self._edit(self._after(".*?", name, node), short[name])

    def edit_parameters(self, program: Names) -> None:
        """Parameters that are only ever given by their place."""
        self._parameters(self.tree, program.fixed, "p")

    def _parameters(self, node: ast.AST, fixed: set[str], letter: str) -> None:
        """`letter`: another one for each function inside another, which sees the outer names."""
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, Functions):
                self._parameters(child, fixed, letter)
                continue
            inner = [n for n in ast.walk(child) if n is not child]
            again = {n.arg for f in inner if isinstance(f, Functions) for n in _arguments(f)}
            for n in inner:
                if isinstance(n, ast.Nonlocal):
                    again.update(n.names)
            new: dict[str, str] = {}
            for argument in [*child.args.posonlyargs, *child.args.args]:
                name = argument.arg
                if name not in fixed | again and name not in ("self", "cls", "_"):
                    new[name] = f"{letter}{len(new)}"
                    at, column = argument.lineno, argument.col_offset
                    self._edit((at, column, at, column + len(name.encode())), new[name])
            for n in inner:
                if isinstance(n, ast.Name) and n.id in new:
                    self._edit(_span(n), new[n.id])
            self._parameters(child, fixed, chr(ord(letter) + 1))

    def _after(self, before: str, name: str, node: ast.stmt) -> Span:
        """Where `name` stands in the first line of a statement."""
        line = self._lines[node.lineno - 1]
        found = re.compile(rf"{before}\b({name})\b".encode()).match(line, node.col_offset)
        assert found is not None, (self.name, node.lineno, name)
        return node.lineno, found.start(1), node.lineno, found.end(1)

    def _edit(self, span: Span, new: str) -> None:
        inside = any(r[:2] <= span[:2] and span[2:] <= r[2:] for r in self._replaced)
        if not inside:
            self._edits[span] = new

    def edited(self) -> str:
        lines = list(self._lines)
        for (line, column, end, end_column), new in sorted(self._edits.items(), reverse=True):
            before, behind = lines[line - 1][:column], lines[end - 1][end_column:]
            lines[line - 1 : end] = (before + new.encode() + behind).split(b"\n")
        return b"\n".join(lines).decode()


def _arguments(function: Functions) -> Iterator[ast.arg]:
    return (node for node in ast.walk(function.args) if isinstance(node, ast.arg))


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def _pairs(target: ast.expr, value: ast.expr) -> list[tuple[str, ast.expr]]:
    """(name, value) of `a = 1`, `a, b = 1, 2` and `a, b = range(2)`; nothing of anything else."""
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


def _number(node: ast.expr, known: dict[str, int]) -> int | None:
    """The whole number that `node` is, or None."""
    if isinstance(node, ast.Constant):
        return node.value if type(node.value) is int else None
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "const":
        return _number(node.args[0], known)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = _number(node.operand, known)
        return None if number is None else -number
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
        left, right = _number(node.left, known), _number(node.right, known)
        if left is not None and right is not None:
            return _OPERATIONS[type(node.op)](left, right)
    return None


def _alias(alias: ast.alias, short: dict[str, str]) -> str:
    name = short.get(alias.name, alias.name)
    return name if alias.asname is None else f"{name} as {short.get(alias.asname, alias.asname)}"


def _span(node: ast.expr | ast.stmt) -> Span:
    return node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0


def _text(number: int) -> str:
    return str(number) if number >= 0 else f"({number})"
