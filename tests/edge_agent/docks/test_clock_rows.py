"""Custody rows of a clock that was not set: told by later rows, the chain untouched."""

from __future__ import annotations

import json
from pathlib import Path

from edge_agent.docks import clock_rows, custody
from edge_agent.docks.ledger import Ledger
from edge_agent.timeline import Known, Run

WRONG, BEHIND = 1_790_000_000.0, 5_000_000.0
RUN = Run("b" * 32, WRONG - 100, 100.0, 160.0)
KNOWN = Known(WRONG + BEHIND - 100, "gps", 160.0)


def test_a_later_signed_row_tells_the_time_of_those_before(tmp_path: Path) -> None:
    key = custody.own_key(tmp_path)
    now = WRONG
    ledger = Ledger(tmp_path / "ledger.db", key, lambda: now)
    assert clock_rows.note(ledger, RUN._replace(ends=100.0), None) == 1
    now = WRONG + 30
    ledger.begin("1", "CAM001", "cam001")
    before = ledger.journal()
    now = WRONG + BEHIND + 60
    told = clock_rows.note(ledger, RUN, KNOWN)
    assert told == before[-1].n + 1
    for again in (None, KNOWN):
        assert clock_rows.note(ledger, RUN, again) is None, "each once, also after a restart"
    rows = ledger.journal()
    assert rows[: len(before)] == before
    verdict = custody.verify(ledger.db, [key.public_key()])
    assert (verdict.rows, verdict.fault) == (len(rows), None)
    detail = json.loads(rows[-1].detail)
    detected = next(row for row in rows if row.kind == "DETECTED")
    assert detail["from_ms"] <= detected.at_ms <= detail["until_ms"]
    assert detected.at_ms + detail["moved_ms"] == (WRONG + BEHIND + 30) * 1000
    ledger.close()


def test_a_clock_that_was_right_says_nothing_and_a_boot_that_never_learned_says_so(
    tmp_path: Path,
) -> None:
    ledger = Ledger(tmp_path / "ledger.db", custody.own_key(tmp_path), lambda: WRONG)
    assert clock_rows.note(ledger, RUN, KNOWN) is None, "nothing was ever written in that run"
    assert clock_rows.note(ledger, RUN, None) == 1
    (row,) = ledger.journal()
    assert "moved_ms" not in json.loads(row.detail)
    ledger.close()
