"""Modules that are loaded when something of them is used, not when they are imported.

importlib.util.LazyLoader is meant for this, but before Python 3.12 an import statement already
counts as use there.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import ModuleType


class _Late(ModuleType):
    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):  # the import system asks for some that a module may lack
            raise AttributeError(name)
        return getattr(importlib.import_module(self.__name__), name)


@contextmanager
def late(name: str) -> Generator[None]:
    """Whoever imports `name` inside the block gets a stand-in that loads it on first use.

    A module that is loaded already stays what it is. Importers outside the block are not touched.
    """
    if name in sys.modules:
        yield
        return
    stand_in = sys.modules[name] = _Late(name)
    try:
        yield
    finally:
        if sys.modules.get(name) is stand_in:
            del sys.modules[name]
