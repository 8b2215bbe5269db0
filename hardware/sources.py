"""Every figure says where it comes from, or that it was not found.

Kinds, from best to worst:

    datasheet      the maker's sheet, with revision and page or section
    documentation  the maker's other papers or a dated public page that quotes them, with place
    estimate       engineering guess; the text says "estimate", and "measure" where it matters
    measured       taken on our own bench; the text names date and instrument (none yet)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from hardware.tables import BOARD_NAMES, BOARDS, BOX, HERE, rows

KINDS = ("datasheet", "documentation", "estimate", "measured")
# A revision or version or page or section or date or path: something one can look up.
PLACE = re.compile(r"[Rr]ev|[vV]\d|version|p\. \d|page|section|table|\d{4}-\d{2}|/", re.ASCII)


def tables() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Every table with a `kind` column, by its path from here."""
    paths: list[Path] = [HERE / "parts.csv", HERE / "roles.csv", *sorted(BOX.glob("*.csv"))]
    paths += sorted((HERE / "enclosure").glob("*.csv"))
    for name in BOARD_NAMES:
        paths += [BOARDS / name / "rails.csv", BOARDS / name / "power.csv"]
    for path in paths:
        found = rows(path)
        if found and "kind" in found[0]:
            yield str(path.relative_to(HERE)), found


def faults() -> list[str]:
    found: list[str] = []
    for path, lines in tables():
        for number, row in enumerate(lines, start=2):
            # In rails.csv `source` is the pin the rail comes from; the paper stands in `reference`.
            source = row.get("reference") or row.get("source") or ""
            kind = row["kind"]
            where = f"{path} line {number}"
            if kind not in KINDS:
                found.append(f"{where}: kind is {kind!r}, not one of {', '.join(KINDS)}")
            elif not source:
                found.append(
                    f"{where}: a figure without a source; name it or say it is an estimate"
                )
            elif kind == "datasheet" and not PLACE.search(source):
                found.append(f"{where}: a data sheet without revision, page or section")
            elif kind == "documentation" and not (PLACE.search(source) or "page" in source):
                found.append(f"{where}: documentation without a place to look it up")
    return found


def tally() -> dict[str, int]:
    """How many figures of each kind there are: what is still owed to the bench."""
    counts: dict[str, int] = {kind: 0 for kind in KINDS}
    for _, lines in tables():
        for row in lines:
            counts[row["kind"]] += 1
    return counts
