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
    {State.COPYING, State.READBACK_OK, State.ANNOUNCED, State.UPLOADED, "BAGGED", "OPENED"}
)


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
        "tst": row.at_ms // 1000,
        "entry": row.n,
        "chain": row.hash.hex(),
    }
    if row.docking is not None:
        out["docking"] = f"{row.docking:016x}"
    if recording:
        out |= {
            "camera": recording.camera[:60],
            "member": recording.member,
            "file": recording.file,
            "size": recording.size,
            "sha256": recording.sha256,
            "sm3": recording.sm3,
        }
    for key in ("camera", "files", "bytes", "offset_s"):
        if detail.get(key) is not None:
            out[key] = detail[key][:60] if key == "camera" else detail[key]
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
