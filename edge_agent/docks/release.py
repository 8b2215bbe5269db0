"""The county's word, and what it allows: release, hold, wipe.

Law: nothing is wiped or evicted before the county has confirmed the same SHA-256. `confirm` is
called only with a `dock_confirm` whose signature, target, time and number commands.py has checked;
that signature goes into the custody journal, so that a release can be proven later without us.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_agent.docks.ledger import Ledger
from edge_agent.docks.rows import Docking, Recording, readable
from edge_agent.docks.source import MountedSource
from edge_agent.docks.states import State, Step
from edge_agent.docks.store import sync_folder

BLOCK = 512 * 1024


class Refused(Exception):
    """A confirmation or a hold that changes nothing: one sentence, for the county and the log."""


def confirm(ledger: Ledger, fields: Mapping[str, Any]) -> str:
    """CONFIRM and RELEASE the recording that `dock_confirm`'s fields name; its id.

    Once more for a released one changes nothing. Other bytes at the county: it gets ours again.
    """
    row = _named(ledger, fields)
    if row.state in (State.COUNTY_CONFIRMED, State.RELEASED, State.EVICTED):
        if row.sha256 != fields["sha256"]:
            raise Refused(f"{fields['file']}: confirmed before with another SHA-256")
    elif row.state not in (State.ANNOUNCED, State.UPLOADED):
        raise Refused(f"{fields['file']}: not announced yet, it is {row.state}")
    elif row.sha256 != fields["sha256"]:
        if row.state is State.UPLOADED:
            ledger.advance(
                row.id,
                Step.LOST,
                {"why": "the county holds other bytes", "county": str(fields["sha256"])},
                upload_url=None,
            )
        raise Refused(f"{fields['file']}: the county's SHA-256 is not ours; it is sent again")
    else:
        proof = ("id", "kid", "seq", "iat", "sig", "sha256")
        ledger.advance(row.id, Step.CONFIRM, {key: fields[key] for key in proof if key in fields})
    if row.state is not State.RELEASED and row.state is not State.EVICTED:
        ledger.advance(row.id, Step.RELEASE)
    return row.id


def _named(ledger: Ledger, fields: Mapping[str, Any]) -> Recording:
    for row in ledger.recordings("file = ?", fields["file"]):
        docking = fields.get("docking")
        if docking is None or ledger.docking(row.docking).hex == docking:
            return row
    raise Refused(f"{fields['file']}: no such recording here")


def hold(ledger: Ledger, recording: str, who: str, why: str, on: bool = True) -> None:
    """Keep a recording without end (evidence, obstruction, major incident), or no longer."""
    who, why = who.strip(), why.strip()
    if not who or not why:
        raise Refused("须写明姓名和理由 / a hold needs a name and a reason")
    row = ledger.get(recording)
    if row is None:
        raise Refused(f"没有记录 {recording} / no recording {recording}")
    if row.state is State.EVICTED:
        raise Refused(f"{recording} 已清除 / {recording} is evicted: the county has the only copy")
    with ledger.transaction() as db:
        db.execute("UPDATE recording SET held = ? WHERE id = ?", (on, recording))
        detail = {"who": who, "why": why}
        docking = ledger.docking(row.docking)
        ledger.note(db, "HELD" if on else "UNHELD", detail, docking, recording=recording)
    ledger.on_journal()


def wipe(ledger: Ledger, docking: Docking, root: Path, rows: list[Recording]) -> int:
    """Delete RELEASED recordings from a camera mounted writable at `root`; how many.

    Each is read again first: only the very bytes that the county confirmed are deleted.
    """
    source = MountedSource(root)
    wiped = 0
    for row in rows:
        if row.state is not State.RELEASED:
            continue
        path = root / os.fsdecode(row.path)
        if not path.exists():
            continue
        if _hash(source, row.path) != row.sha256:
            ledger.append(
                "NOT_WIPED",
                {"why": "other bytes than were confirmed", "path": readable(row.path)},
                docking=docking,
                recording=row.id,
            )
            continue
        ledger.append("WIPED", {"path": readable(row.path)}, docking=docking, recording=row.id)
        path.unlink()
        sync_folder(path.parent)
        wiped += 1
    return wiped


def _hash(source: MountedSource, path: bytes) -> str:
    running = hashlib.sha256()
    buffer = memoryview(bytearray(BLOCK))
    opened = source.open(path)
    try:
        while got := opened.readinto(buffer):
            running.update(buffer[:got])
    finally:
        opened.close()
    return running.hexdigest()
