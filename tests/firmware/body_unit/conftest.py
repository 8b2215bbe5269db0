"""The core's tests on CPython: the unit's library, and the names it wants of CircuitPython."""

from __future__ import annotations

import sys
import types
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[3] / ".venv-unit/lib-unit"))


def module(name: str, **names: object) -> None:
    """Stands in where it is not installed; adafruit_gps uses these in annotations only."""
    stub = types.ModuleType(name)
    vars(stub).update(names)
    sys.modules.setdefault(name, stub)


module("micropython", const=lambda value: value)
module("busio", UART=object, I2C=object)
module("circuitpython_typing", ReadableBuffer=object)
