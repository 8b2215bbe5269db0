"""A linked traceback leads back to the source; what is not known stays as it was printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flashing import linker, traces
from flashing.errors import FlashError

LINES = {"unit_main": {3: ("body_unit.sos", 41), 4: ("", 0)}, "unit_lte": {3: ("drivers.lte", 7)}}
PRINTED = """\
Traceback (most recent call last):
  File "unit_main", line 3, in AF_INET
  File "unit_lte", line 3, in _4
  File "unit_main", line 4, in AUTO
  File "unit_main", line 99, in AUTO
  File "asyncio/core.py", line 3, in run
OSError: 110
"""
TRANSLATED = """\
Traceback (most recent call last):
  File "body_unit.sos", line 41, in AF_INET
  File "drivers.lte", line 7, in _4
  File "unit_main", line 4, in AUTO
  File "unit_main", line 99, in AUTO
  File "asyncio/core.py", line 3, in run
OSError: 110
"""


def test_known_places_are_translated_and_others_stay(tmp_path: Path) -> None:
    (tmp_path / traces.FILE).write_bytes(traces.pack(LINES))
    assert traces.translate(PRINTED, tmp_path) == TRANSLATED


def test_a_kit_without_lines_says_so(tmp_path: Path) -> None:
    with pytest.raises(FlashError, match=r"no lines\.json"):
        traces.translate(PRINTED, tmp_path)


def test_a_statement_leads_to_its_line_in_a_function_that_became_a_case() -> None:
    texts = {
        "unit_main": "import far\n\n\ndef run():\n    return far.one(1) + far.two(2)\n",
        "far": "def one(n):\n    return n + 1\n\n\ndef two(n):\n    raise ValueError(n)\n",
    }
    module = linker.link(texts)["unit_main"]
    rows = module.text.splitlines()
    places = {rows[line - 1].strip(): origin for line, origin in module.origin.items()}

    def place(pattern: str) -> tuple[str, int]:
        (found,) = [origin for text, origin in places.items() if re.search(pattern, text)]
        return found

    assert place(r"^return \w+ \+ 1$") == ("far", 2)
    assert place(r"^raise ValueError\(\w+\)$") == ("far", 6)
    assert place(r"1, 2\)") == ("unit_main", 5)
