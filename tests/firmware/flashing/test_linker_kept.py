"""A linked program does what its source does: small programs, run as they stand and linked."""

from __future__ import annotations

import ast
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from textwrap import dedent

import pytest

from flashing import linker
from flashing.errors import FlashError
from flashing.linker.frames import frame
from flashing.linker.merge import ON_STACK
from tests.firmware.flashing.linker_programs import PROGRAMS, THREAD

ENTRY = "unit_main"


# --- running a program, as it stands or linked ---------------------------------------------------
class _Texts(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports modules out of a dict, packages where the dict has modules inside them."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        package = any(name.startswith(fullname + ".") for name in self._texts)
        if fullname not in self._texts and not package:
            return None
        return importlib.util.spec_from_loader(fullname, self, is_package=package)

    def exec_module(self, module: types.ModuleType) -> None:
        exec(compile(self._texts.get(module.__name__, ""), module.__name__, "exec"), vars(module))  # noqa: S102


@contextmanager
def _importable(texts: Mapping[str, str]) -> Iterator[None]:
    before = dict(sys.modules)
    finder = _Texts({"micropython": "def const(value):\n    return value\n", **texts})
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in set(sys.modules) - set(before):
            del sys.modules[name]
        sys.modules.update(before)


def outcome(texts: Mapping[str, str], outside: Mapping[str, str] | None = None) -> object:
    """What `run` of the entry returns, or the name of the exception that it raises."""
    with _importable({**texts, **(outside or {})}):
        try:
            return importlib.import_module(ENTRY).run()
        except Exception as error:
            return type(error).__name__


def linked(texts: Mapping[str, str]) -> dict[str, str]:
    return {name: module.text for name, module in linker.link(dict(texts), ENTRY).items()}


def kept(
    main: str, outside: Mapping[str, str] | None = None, may_fail: bool = False, **others: str
) -> str:
    """Both ways the outcome is the same. Returns the linked text of the first module.

    A module inside a package is given as `package__module`.
    """
    texts = {ENTRY: dedent(main)}
    texts |= {name.replace("__", "."): dedent(text) for name, text in others.items()}
    outside = {name: dedent(text) for name, text in (outside or {}).items()}
    expected = outcome(texts, outside)
    assert may_fail or not isinstance(expected, str) or not expected.endswith("Error"), expected
    new = linked(texts)
    assert outcome(new, outside) == expected, new[ENTRY]
    return new[ENTRY]


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_does_what_it_did(name: str) -> None:
    kept(PROGRAMS[name])


# --- what is joined ------------------------------------------------------------------------------
def test_every_form_of_import() -> None:
    main = """
    from pack import near as close
    from pack.near import LIMIT, said as told
    def late(n):
        from pack.driver import Driver
        return Driver(n).read()
    def run():
        return close.said(1), told(2), LIMIT, late(3), LOG
    from pack.log import LOG
    """
    log = "LOG = []\n"
    near = "from micropython import const\nfrom pack.log import LOG\nLIMIT = const(5)\n"
    near += "LOG.append('near')\ndef said(n):\n    return n + LIMIT\n"
    driver = "from pack.near import said\nfrom pack.log import LOG\nclass Driver:\n"
    driver += "    def __init__(self, n): self.n = n\n"
    driver += "    def read(self):\n        LOG.append('read')\n        return said(self.n)\n"
    text = kept(main, pack__near=near, pack__log=log, pack__driver=driver)
    assert "from unit_driver import" in text


def test_a_library_of_the_program_is_patched() -> None:
    main = "import lib\nclass Clock:\n    def now(self): return 7\nlib.time = Clock()\n"
    kept(
        main + "def run():\n    return lib.read()\n",
        lib="import time\ndef read():\n    return time.now()\n",
    )


def test_a_module_of_somebody_elses_stays_outside() -> None:
    other = {"other": "class Box:\n    size = 4\ndef open(n):\n    return Box()\n"}
    text = kept("import other\ndef run():\n    return other.open(1).size\n", other)
    assert "import other" in text


def test_a_name_of_somebody_elses_may_be_one_of_ours_too() -> None:
    other = {"other": "def pause(n):\n    return n * 2\ndef load(n):\n    return n + 5\n"}
    far = "from other import load as _load, pause\ndef load(n):\n    return _load(n) + 100\n"
    main = "import far\nfrom far import pause as rest\ndef run():\n"
    main += "    return far.load(1), far.pause(3), rest(4)\n"  # pause only passes through far
    kept(main, other, far=far)


def test_constants_fold_across_modules_and_the_unused_goes() -> None:
    far = "A = 4\nB = A * 2 + 1\nUNUSED = 'never asked for'\ndef dead():\n    return UNUSED\n"
    text = kept("from far import B\ndef run():\n    return B\n", far=far)
    assert "return 9" in text and "never" not in text


def test_what_an_heir_covers_with_none_goes() -> None:
    far = "class Base:\n    def _parse(self):\n        return 'a long way to parse'\n"
    far += "    def go(self):\n        return self._parse and 3\n"
    main = "from far import Base\nclass Heir(Base):\n    _parse = None\n"
    text = kept(main + "def run():\n    return 5 if Heir() else 6\n", far=far)
    assert "long way" not in text


def test_two_modules_import_the_same_under_one_name() -> None:
    other = {"other": "def load(n):\n    return n + 5\n"}
    far = "import other\ndef other_of(other):\n    return other + 1\n"
    far += "def both(n):\n    return other.load(n)\n"
    main = "import far, other\ndef run():\n    return far.both(1), far.other_of(2), other.load(3)\n"
    kept(main, other, far=far)


def test_a_class_reads_what_is_imported_under_another_name() -> None:
    other = {"other": "def load(n):\n    return n + 5\n"}
    far = "import other\ndef hides(other):\n    return other + 1\nclass K:\n"
    far += "".join(f"    a{n} = other.load({n})\n" for n in range(9))
    main = "import far\ndef run():\n    k = far.K()\n    return far.hides(2), "
    kept(main + ", ".join(f"k.a{n}" for n in range(9)) + "\n", other, far=far)


def test_a_constant_is_no_global_and_a_choice_no_tuple() -> None:
    text = kept(PROGRAMS["shared"])
    assert not any(name in text for name in ("TEXT", "PAIR", "HALF", "BIG", "DASH"))
    assert "in (" not in kept("def run(x='b'):\n    return x in ('a', 'b', 3)\n")


def test_a_module_as_a_value_is_refused() -> None:
    texts = {ENTRY: "import far\ndef run():\n    return far\n", "far": "A = []\n"}
    with pytest.raises(FlashError, match="far as a value"):
        linked(texts)


def test_few_functions_are_left() -> None:
    """Else a linker that does nothing would pass all of the above."""
    text = kept(PROGRAMS["for_else"])
    names = [n.name for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef)]
    assert len(names) <= 4 and "fib" not in names


def test_what_the_buttons_thread_runs_stays_on_the_stack() -> None:
    """Deep and wide do not fit into one frame: the wide one may not go where the heap is asked."""
    texts = {ENTRY: THREAD}
    groups = [
        f for f in ast.walk(ast.parse(linked(texts)[ENTRY])) if isinstance(f, ast.FunctionDef)
    ]
    wide = next(f for f in groups if "11, 12" in ast.unparse(f))
    assert frame(wide).words <= ON_STACK + 2 and kept(THREAD)
