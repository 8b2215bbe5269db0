"""What is dropped when a lane is over its bound, and what is written down of it.

Every second record of a topic goes first, oldest on; one whose neighbours went MAX_THINNED times is
dropped next. Each drop is counted in `gap`, which outbox_gaps.py declares to the county.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Any, NamedTuple

from edge_agent.event import Klass
from edge_agent.outbox_record import EVENT, LANE_SHIFT, ROW_OVERHEAD

MAX_THINNED = 2  # a record whose neighbours went twice goes next
THIN_ROWS = 512  # rows looked at in one step

IDS = "(SELECT value FROM json_each(?))"
# As `note_dropped` wants a row.
DROPPED = "id, sender, boot, seq, at, length(topic) + length(payload), stamp"
Rows = list[tuple[Any, ...]]
Whose = tuple[str, str, int, str, str]  # sender, boot, class, why, clock


class Thinned(NamedTuple):
    """One step: it looked at rows up to id `upto` (0: there were none) and dropped these."""

    upto: int
    dropped: Rows


def thin(db: sqlite3.Connection, lane: int, after: int) -> Thinned:
    """Halve the next THIN_ROWS of the lane behind id `after`, drop those halved often enough."""
    rows = db.execute(
        f"SELECT {DROPPED}, topic, thinned FROM record WHERE id > ? AND id < ? ORDER BY id LIMIT ?",
        (max(after, lane << LANE_SHIFT), lane + 1 << LANE_SHIFT, THIN_ROWS),
    ).fetchall()
    if not rows:
        return Thinned(0, [])
    worn, drop, keep = halve(rows)
    gone = json.dumps([row[0] for row in worn + drop])
    left = json.dumps([row[0] for row in keep])
    db.execute(f"DELETE FROM record WHERE id IN {IDS}", (gone,))
    db.execute(f"UPDATE record SET thinned = thinned + 1 WHERE id IN {IDS}", (left,))
    klass = Klass.EVENT if lane == EVENT else Klass.TELEMETRY
    note_dropped(db, drop, klass, "thinned")
    note_dropped(db, worn, klass, "full")
    return Thinned(rows[-1][0], worn + drop)


def halve(rows: Rows) -> tuple[Rows, Rows, Rows]:
    """(worn, drop, keep) of rows (…, topic, thinned): every second one of a topic is dropped."""
    worn = [row for row in rows if row[-1] >= MAX_THINNED]
    drop: Rows = []
    keep: Rows = []
    odd: dict[str, bool] = {}
    for row in rows:
        if row[-1] < MAX_THINNED:
            odd[row[-2]] = not odd.get(row[-2], False)
            (keep if odd[row[-2]] else drop).append(row)
    return worn, drop, keep


def note_dropped(
    db: sqlite3.Connection, rows: Iterable[tuple[Any, ...]], klass: Klass, why: str
) -> None:
    """Count rows (of DROPPED's columns) into the gaps of their senders."""
    for _, sender, boot, seq, at, _, stamp, *_ in rows:
        clock, at = ("", at) if stamp is None else json.loads(stamp)[:2]
        note_gap(db, (sender, boot, klass, why, clock), (seq, seq, 1, at, at))


def note_gap(
    db: sqlite3.Connection,
    whose: Whose,
    gap: tuple[int, int, int, float, float],
) -> None:
    """whose: sender, boot, class, why, clock; gap: low, high, count, since, until."""
    db.execute(
        "INSERT INTO gap VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET"
        " low = min(low, excluded.low), high = max(high, excluded.high),"
        " count = count + excluded.count, since = min(since, excluded.since),"
        " until = max(until, excluded.until)",
        (*whose, *gap),
    )


def size_of(row: tuple[Any, ...]) -> int:
    """Bytes on disk of a row of DROPPED's columns, about."""
    return int(row[5]) + ROW_OVERHEAD
