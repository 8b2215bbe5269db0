"""A docking's folder as a BagIt bag (RFC 8493), which any archivist's tool can check.

The payload is in place already, sealed file by file; this writes what makes it a bag. It can be
written again when more was sealed or something was evicted: the custody event comes last, so a cut
in between only means that it is written once more.
"""

from __future__ import annotations

import csv
import hashlib
import io
from datetime import datetime, timedelta, timezone
from importlib.metadata import version

from edge_agent.docks.ledger import Ledger
from edge_agent.docks.rows import Docking, Recording, readable
from edge_agent.docks.states import ON_DISK, State
from edge_agent.docks.store import Store, write_whole

CHINA = timezone(timedelta(hours=8))
TABLE = ("file", "path_on_camera", "size", "sha256", "sm3", "member", "taken_by_name", "marked")


def write(ledger: Ledger, store: Store, docking: Docking, checkpoint: str) -> int:
    """Write the bag's tag files; how many recordings it holds. None sealed: no bag."""
    sealed = [row for row in ledger.of(docking) if row.file and row.state is not State.READBACK_OK]
    here = [row for row in sealed if row.state in ON_DISK]
    if sealed:
        folder = store.bags / docking.bag
        prefix = len(docking.bag) + 1
        texts = {
            "bagit.txt": "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
            "manifest-sha256.txt": "".join(
                f"{row.sha256}  {row.file[prefix:]}\n" for row in here if row.file
            ),
            "bag-info.txt": _info(docking, here, checkpoint),
            "recordings.csv": _table(here, prefix),
        }
        tags = {name: text.encode() for name, text in texts.items()}
        for name, content in tags.items():
            write_whole(folder / name, content)
        listed = "".join(
            f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in tags.items()
        )
        write_whole(folder / "tagmanifest-sha256.txt", listed.encode())
    with ledger.transaction() as db:
        db.execute("UPDATE docking SET bagged = ? WHERE id = ?", (len(here), docking.id))
        ledger.note(db, "BAGGED", {"files": len(here), "bag": docking.bag}, docking)
    return len(here)


def _info(docking: Docking, rows: list[Recording], checkpoint: str) -> str:
    members = sorted({row.member for row in rows if row.member})
    size = sum(row.size for row in rows)
    lines = {
        "Source-Organization": checkpoint,
        "Bagging-Date": datetime.now(CHINA).date().isoformat(),
        "Bag-Software-Agent": f"checkpoint-agent {version('patrol-hardware')}",
        "External-Identifier": f"{checkpoint}/{docking.hex}",
        "Payload-Oxum": f"{size}.{len(rows)}",
        "Camera": docking.camera,
        "Member": ", ".join(members) or "unknown",
        "Bay": docking.bay,
        "Docked": datetime.fromtimestamp(docking.started_ms / 1000, CHINA).isoformat(),
        "Camera-Clock-Minus-Ours-Seconds": (
            "unknown" if docking.offset_s is None else str(docking.offset_s)
        ),
    }
    return "".join(f"{key}: {' '.join(value.split())}\n" for key, value in lines.items())


def _table(rows: list[Recording], prefix: int) -> str:
    """What a lawyer opens in a spreadsheet; BOM so that it opens as UTF-8."""
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out)
    writer.writerow(TABLE)
    for row in rows:
        assert row.file is not None
        writer.writerow(
            (
                row.file[prefix:],
                readable(row.path),
                row.size,
                row.sha256,
                row.sm3 or "",
                row.member or "",
                row.taken or "",
                "yes" if row.marked else "no",
            )
        )
    return out.getvalue()
