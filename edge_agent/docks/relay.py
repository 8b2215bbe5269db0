"""Custody events on their way to the county: the journal is the queue, `cp_dock` the message.

A row is marked as relayed after the outbox has it durably. A cut in between sends it twice, with
the same `entry`, which is how the county counts it once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from edge_agent.docks.custody import Row
from edge_agent.docks.ledger import Ledger
from edge_agent.docks.rows import Recording
from edge_agent.docks.states import State, Step

# Steps inside the box, some thousand a day: the county needs none of them, the chain covers all.
STAYS = frozenset(
    {State.COPYING, State.READBACK_OK, State.ANNOUNCED, State.UPLOADED, "BAGGED", "OPENED", "CLOCK"}
)


# What the contract cannot say is said as near as it can: a message that is refused would hold up
# all that follow it.
YEAR_2000 = 946_684_800  # Unix s: a Pi without a clock starts in 1970
FAR_S = 1 << 31  # a camera set to 2107


class Reports(Protocol):
    """edge_agent/reporter.py: returns once the event is durable."""

    async def report(
        self, name: str, params: Mapping[str, str], fields: Mapping[str, Any], /
    ) -> object: ...


def fields(row: Row, recording: Recording | None) -> dict[str, Any] | None:
    """`cp_dock` for a journal row, without v/boot/seq; None for a row that stays here."""
    detail: dict[str, Any] = json.loads(row.detail)
    if row.kind in STAYS or (row.kind == State.INVENTORIED and row.recording):
        return None
    out: dict[str, Any] = {
        "event": row.kind,
        "tst": max(row.at_ms // 1000, YEAR_2000),
        "entry": row.n,
        "chain": row.hash.hex(),
    }
    if row.docking is not None:
        out["docking"] = f"{row.docking:016x}"
    if recording:
        out |= {
            "camera": recording.camera[:60],
            "member": recording.member and recording.member[:40],
            "file": recording.file,
            "size": recording.size,
            "sha256": recording.sha256,
            "sm3": recording.sm3,
        }
    for key in ("files", "bytes"):
        out[key] = detail.get(key)
    if detail.get("offset_s") is not None:
        out["offset_s"] = max(-FAR_S, min(detail["offset_s"], FAR_S))
    if detail.get("camera"):
        out["camera"] = detail["camera"][:60]
    why = detail.get("why") or detail.get("path")
    if why:
        out["why"] = str(why)[:200]
    return {key: value for key, value in out.items() if value is not None}


class Relay:
    """`step` hands up to `batch` rows on; True when there may be more."""

    def __init__(self, ledger: Ledger, reporter: Reports, batch: int = 64) -> None:
        self._ledger = ledger
        self._reporter = reporter
        self._batch = batch

    async def step(self, in_thread: Any) -> bool:
        """`in_thread(function, *arguments)` awaits it off the event loop."""
        done = await in_thread(self._ledger.relayed)
        rows: list[Row] = await in_thread(self._ledger.journal, done, self._batch)
        for row in rows:
            recording = await in_thread(self._ledger.get, row.recording) if row.recording else None
            message = fields(row, recording)
            if message is not None:
                await self._reporter.report("cp_dock", {"B": row.bay or "box"}, message)
            await in_thread(self._mark, row, recording)
        return len(rows) == self._batch

    def _mark(self, row: Row, recording: Recording | None) -> None:
        if recording and row.kind == State.SEALED and recording.state is State.SEALED:
            self._ledger.advance(recording.id, Step.ANNOUNCE, {"entry": row.n})
        self._ledger.set_relayed(row.n)
