"""The unit's own program, linked and compiled: it fits, its frames fit, it is the same again."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flashing import app, linker, traces
from flashing.linker import Linked, merge
from flashing.linker.case import Case
from flashing.linker.frames import Frame, frame
from flashing.linker.merge import ON_STACK, SIZES
from flashing.linker.scopes import Definitions
from flashing.linker.short import KNOWN
from tests.fakes import mpy_file
from tests.fakes.rom import GPS_LIBRARY, MPY_CROSS, ROOT

LISTS = (".append", ".items", ".get", ".pop")  # of a list, not of a class that has such
LARGEST = 8192  # bytes: the largest block that a build without ROMFS reads a function into
LINK = """
import hashlib, json, sys
from flashing import linker
for name, module in linker.link(json.load(sys.stdin)).items():
    print(name, hashlib.sha256(module.text.encode()).hexdigest())
"""


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return app.collect(ROOT / "firmware", GPS_LIBRARY)


@pytest.fixture(scope="module")
def reckoned() -> list[int]:
    """Words of each group's frame as merge reckoned them, in the groups' order."""
    return []


@pytest.fixture(scope="module")
def program(texts: dict[str, str], reckoned: list[int]) -> dict[str, Linked]:
    by_size = merge._by_size

    def noted(cases: list[Case], *more: Any) -> list[merge._Group]:
        groups = by_size(cases, *more)
        for group in groups:
            together = Frame(0, 0, 0)
            for case in group.cases:
                together = together.joined(frame(case.function))
            reckoned.append(together.words + 1)
        return groups

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merge, "_by_size", noted)
        return linker.link(texts)


@pytest.fixture(scope="module")
def main(program: dict[str, Linked]) -> mpy_file.Code:
    return mpy_file.read(app.compiled("unit_main", program["unit_main"].text, MPY_CROSS))


def _functions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def _groups(text: str) -> Iterator[ast.FunctionDef]:
    """Functions of cases: the first parameter says which."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and len(node.body) == 1:
            chosen = node.body[0]
            if isinstance(chosen, ast.If) and _asked(chosen, node) is not None:
                yield node


def _asked(chosen: ast.If, group: ast.FunctionDef) -> int | None:
    """The number below which the first parameter must be; None: something else is asked."""
    first, found = group.args.args[:1], re.fullmatch(r"(\w+) < (\d+)", ast.unparse(chosen.test))
    return int(found[2]) if found and first and first[0].arg == found[1] else None


def _calls(node: ast.AST) -> Iterator[tuple[str, int | None]]:
    """(name of what is called, with a dot before a method's, the number of the case)."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call):
            first = inner.args[0] if inner.args else None
            number = first.value if isinstance(first, ast.Constant) else None
            yield _key(inner.func), number if isinstance(number, int) else None


def _by_place(text: str, main: mpy_file.Code) -> dict[str, mpy_file.Code]:
    """Name of a function or class at the top -> its code, which may say no name but a number."""
    named = [n.name for n in ast.parse(text).body if isinstance(n, Definitions)]
    assert len(named) == len(main.inside)
    return dict(zip(named, main.inside, strict=True))


def _key(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return "." + node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _case(group: ast.FunctionDef, number: int) -> list[ast.stmt]:
    body = group.body
    while len(body) == 1 and isinstance(body[0], ast.If):
        limit = _asked(body[0], group)
        if limit is None:
            break
        body = body[0].body if number < limit else body[0].orelse
    return body


# --- what it costs -------------------------------------------------------------------------------
def test_few_functions_and_classes(program: dict[str, Linked]) -> None:
    """123 functions and 32 classes when this was written; 745 and 69 in the source.

    Each costs heap for ever. The margin is for a program that grows, a tenth: above it some step no
    longer does what it did.
    """
    tree = ast.parse(program["unit_main"].text)
    assert len(_functions(tree)) <= 135
    assert sum(isinstance(n, ast.ClassDef) for n in ast.walk(tree)) <= 35
    scopes = ast.ListComp | ast.SetComp | ast.DictComp
    assert not any(isinstance(n, scopes) for n in ast.walk(tree))


def test_few_names_of_its_own(program: dict[str, Linked]) -> None:
    """MicroPython keeps names in pools of 20, 40, 80, 160: the 301st takes 2.2 KB at once.

    Others add some 20 (paths, asyncio's modules), and the chip has some 30 of these already: the
    keywords of its drivers, which no stub names.
    """
    code = app.compiled("unit_main", program["unit_main"].text, MPY_CROSS)
    own = [name for name in mpy_file.names(code) if not name.startswith("static ")]
    assert 150 < len(set(own) - KNOWN) <= 295


def test_no_function_needs_a_larger_block_than_the_heap_may_have(
    program: dict[str, Linked],
) -> None:
    for name, module in program.items():
        code = mpy_file.read(app.compiled(name, module.text, MPY_CROSS))
        largest = max(code.all(), key=lambda function: function.size)
        assert 100 < largest.size <= LARGEST, (name, largest.name)


# --- frames --------------------------------------------------------------------------------------
def test_a_frame_is_never_larger_than_was_reckoned(
    program: dict[str, Linked], main: mpy_file.Code, reckoned: list[int]
) -> None:
    """A frame over 11 words is asked of the heap, at each call (py/vm.h)."""
    measured = _by_place(program["unit_main"].text, main)
    groups = list(_groups(program["unit_main"].text))[-len(reckoned) :]
    assert len(groups) == len(reckoned) and sum(words <= ON_STACK for words in reckoned) >= 1
    for group, words in zip(groups, reckoned, strict=True):
        limit = min(size for size in SIZES if size >= words)
        assert measured[group.name].frame <= limit, (group.name, words)


def test_the_buttons_thread_asks_the_heap_for_no_frame_that_its_source_would_not(
    texts: dict[str, str], program: dict[str, Linked], main: mpy_file.Code
) -> None:
    """Everything that the thread may call, with the frame it has as it stands in the source."""
    text = program["unit_main"].text
    tree = ast.parse(text)
    groups = {group.name: group for group in _groups(text)}
    grouped = _by_place(text, main)
    by_name: dict[str, list[ast.AST]] = {}
    for function in _functions(tree):
        dot = "" if function in tree.body else "."
        by_name.setdefault(dot + function.name, []).append(function)
    started = [
        _key(node.args[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("start_new_thread")
    ]
    todo: list[tuple[str, int | None]] = [(name, None) for name in started]
    seen: set[tuple[str, int | None]] = set()
    large = _largest_frames(texts)
    while todo:
        name, number = todo.pop()
        if (name, number) in seen or name not in by_name or name in LISTS:
            continue
        seen.add((name, number))
        if name in groups:
            assert number is not None, name
            bodies: list[ast.AST] = [*_case(groups[name], number)]
            origins = {program["unit_main"].origin.get(getattr(b, "lineno", 0)) for b in bodies}
            limit = max((large.get(origin, 0) for origin in origins if origin), default=0)
            assert grouped[name].frame <= max(ON_STACK, limit), (name, number, origins)
        else:
            bodies = [*by_name[name]]
        todo += [call for body in bodies for call in _calls(body)]
    assert len(seen) > 5, seen


def _largest_frames(texts: dict[str, str]) -> dict[tuple[str, int], int]:
    """(module, line) -> the frame of the function around it, compiled as it stands."""
    found: dict[tuple[str, int], int] = {}
    for module in ("drivers.button", "drivers.resolver", "body_unit.haptics", "body_unit.gesture"):
        frames: dict[str, int] = {}
        for code in mpy_file.read(app.compiled(module, texts[module], MPY_CROSS)).all():
            frames[code.name] = max(code.frame, frames.get(code.name, 0))
        for function in _functions(ast.parse(texts[module])):
            for line in range(function.lineno, (function.end_lineno or 0) + 1):
                found[module, line] = frames.get(function.name, 0)
    return found


# --- the same again ------------------------------------------------------------------------------
def test_two_processes_make_the_same_text(
    texts: dict[str, str], program: dict[str, Linked], tmp_path: Path
) -> None:
    """The order of a set is another one in each process: none may show."""
    (tmp_path / "texts").write_text(json.dumps(texts))
    started: list[subprocess.Popen[str]] = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT / "firmware")}
        command, pipe = [sys.executable, "-c", LINK], subprocess.PIPE
        with (tmp_path / "texts").open() as file:
            started.append(
                subprocess.Popen(command, env=environment, stdin=file, stdout=pipe, text=True)
            )
    said = [process.communicate()[0].splitlines() for process in started]
    here = [
        f"{name} {hashlib.sha256(module.text.encode()).hexdigest()}"
        for name, module in program.items()
    ]
    assert said == [here, here]


# --- back to the source --------------------------------------------------------------------------
def test_every_line_leads_back_to_a_line_that_says_as_much(
    texts: dict[str, str], program: dict[str, Linked]
) -> None:
    rows = {name: text.splitlines() for name, text in texts.items()}
    for module in program.values():
        known = 0
        for node in ast.walk(ast.parse(module.text)):
            if isinstance(node, ast.Raise):
                source, line = module.origin.get(node.lineno, ("", 0))
                if source:
                    known += 1
                    assert rows[source][line - 1].lstrip().startswith("raise"), (source, line)
        for source, line in module.origin.values():
            assert 0 < line <= len(rows[source]), (source, line)
        assert known or len(module.origin) > 20
    total = sum(1 for node in ast.walk(ast.parse(program["unit_main"].text)) if _is_plain(node))
    assert len(program["unit_main"].origin) > 0.8 * total


def _is_plain(node: ast.AST) -> bool:
    return isinstance(node, ast.Assign | ast.AugAssign | ast.Return | ast.Raise | ast.Expr)


def test_a_traceback_of_the_real_program_is_translated(
    program: dict[str, Linked], tmp_path: Path
) -> None:
    lines = {name: module.origin for name, module in program.items()}
    (tmp_path / traces.FILE).write_bytes(traces.pack(lines))
    assert json.loads((tmp_path / traces.FILE).read_text())
    line, (source, its) = max(lines["unit_main"].items())
    said = traces.translate(f'  File "unit_main", line {line}, in _3\n', tmp_path)
    assert said == f'  File "{source}", line {its}, in _3\n'
