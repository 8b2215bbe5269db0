"""What a unit printed, with the lines of the program's source in place of the linked ones.

A unit's program is linked (linker/): a traceback of it names `unit_main` and a line of that. The
kit keeps the way back, in lines.json: {module: [[line, source module, its line], …]}.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from flashing.app import Lines
from flashing.errors import FlashError

FILE = "lines.json"
_PLACE = re.compile(r'File "(\w+)", line (\d+)')


def pack(lines: Lines) -> bytes:
    """Return the content of lines.json."""
    rows = {
        module: [[line, *origin] for line, origin in sorted(of.items()) if origin[1]]
        for module, of in lines.items()
    }
    return json.dumps(rows, separators=(",", ":")).encode()


def translate(text: str, kit: Path) -> str:
    """Return `text` with every place in the linked program as module and line of the source."""
    try:
        rows = json.loads((kit / FILE).read_text("utf-8"))
    except FileNotFoundError as error:
        raise FlashError(
            f"kit: {kit} has no {FILE}: use the kit that the unit was made with"
        ) from error
    known = {(module, row[0]): (row[1], row[2]) for module, of in rows.items() for row in of}

    def source(found: re.Match[str]) -> str:
        module, line = known.get((found[1], int(found[2])), (found[1], found[2]))
        return f'File "{module}", line {line}'

    return _PLACE.sub(source, text)
