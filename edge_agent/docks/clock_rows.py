"""Custody rows that were written while the machine's clock was not set.

Rows are never changed, so their times are told by later, signed ones of the same chain: `CLOCK`.
The first of a boot says that its clock was not set from `from_ms` on (by that same clock). The
next, once the time is known, says until when, and by how many ms every `at_ms` in between is to be
moved (monotonic distance, edge_agent/timeline.py). Without a second one nobody knows.
"""

from __future__ import annotations

from edge_agent.docks import custody
from edge_agent.docks.ledger import Ledger
from edge_agent.timeline import STEP_S, Known, Run

KIND = "CLOCK"


def note(ledger: Ledger, run: Run, known: Known | None) -> int | None:
    """Write the row that is due for this run, once; its number, None where none was due."""
    from_ms = _ms(run.begins + run.skew)
    detail: dict[str, str | int | bool | None] = {"boot": run.boot, "from_ms": from_ms}
    if known is not None:
        detail |= {
            "until_ms": _ms(run.ends + run.skew),
            "moved_ms": _ms(known.offset - run.skew),
            "source": known.source,
        }
    with ledger.transaction() as db:
        said = db.execute(
            "SELECT json_extract(detail, '$.moved_ms') FROM journal WHERE kind = ?"
            " AND json_extract(detail, '$.boot') = ?"
            " AND abs(json_extract(detail, '$.from_ms') - ?) <= ?",
            (KIND, run.boot, from_ms, _ms(STEP_S)),
        ).fetchall()
        begun = any(moved is None for (moved,) in said)
        over = any(moved is not None for (moved,) in said)
        if over or (begun if known is None else not begun):
            return None
        return custody.append(db, ledger.key, ledger.now_ms(), KIND, detail)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
