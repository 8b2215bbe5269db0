"""The BOM against the wiring: what is drawn is ordered, what is ordered is drawn, as often."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hardware.tables import BomLine, Wiring


def faults(bom: list[BomLine], wiring: Wiring) -> Iterator[str]:
    listed = {line.mpn: line.qty for line in bom}
    for mpn, pieces in wiring.counts.items():
        if mpn not in listed:
            yield f"bom.csv: {mpn} is in the wiring but not ordered"
        elif listed[mpn] != pieces:
            yield f"bom.csv: {mpn} is ordered {listed[mpn]} times, the wiring uses {pieces}"
    for mpn in listed:
        if mpn not in wiring.counts:
            yield f"bom.csv: {mpn} is ordered but the wiring does not use it"
    if len(listed) != len(bom):
        yield "bom.csv: a part number stands on two lines"
    yield from undated(bom)


def undated(bom: list[BomLine]) -> Iterator[str]:
    for line in bom:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", line.estimated_on):
            yield f"bom.csv: {line.mpn} has a price without a date"


def total_cny(bom: list[BomLine]) -> float:
    return sum(line.qty * line.unit_cny for line in bom)
