"""Custody for people who have no checkpoint: a zip that opens anywhere."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

from edge_agent.docks import custody
from edge_agent.docks.ledger import Ledger

CHINA = timezone(timedelta(hours=8))

READ_ME = """\
监管链导出 / Custody export, checkpoint {checkpoint}, {when}

journal.csv    每一步一行（用表格软件打开）/ one line per step; opens in any spreadsheet
journal.jsonl  同样的内容，供核验 / the same, as it was signed
recordings.csv 每段录像的 SHA-256 / each recording with its SHA-256
key-*.pem      本卡点的公钥 / the checkpoint's public keys

核验 / To check a recording: its SHA-256 (Windows: certutil -hashfile FILE SHA256) is the one in
recordings.csv and in the SEALED row of journal.csv.
To check the chain: for each line of journal.jsonl, SHA-256 over the JSON array
[n, at_ms, kind, bay, docking, recording, detail, prev] (", " between items, UTF-8) is `hash`;
`prev` is the hash of the line before (64 zeros for the first); `sig` is the signature of the 32
bytes of `hash` by a key here (Ed25519, or ECDSA / RSA PKCS#1 v1.5 with SHA-256).
The county was told row numbers and hashes at the time: compare them.

结论 / Result when exported: {verdict}
"""


def export(
    ledger: Ledger,
    out: Path,
    checkpoint: str,
    trusted: Sequence[custody.PublicKey],
    recording: str | None = None,
) -> custody.Verdict:
    """Write `out` (zip); the verdict over the chain it holds.

    recording: only this one's row in recordings.csv; the journal is always whole, because a chain
    with holes proves nothing.
    """
    verdict = custody.verify(ledger.db, trusted)
    rows = ledger.journal()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        when = datetime.now(CHINA).isoformat(timespec="seconds")
        says = sentence(verdict)
        zipped.writestr(
            "README.txt", READ_ME.format(checkpoint=checkpoint, when=when, verdict=says)
        )
        zipped.writestr("journal.csv", _journal_csv(rows))
        zipped.writestr("journal.jsonl", "".join(_line(row) + "\n" for row in rows))
        zipped.writestr("recordings.csv", _recordings_csv(ledger, recording))
        for n, pem in enumerate(_keys(rows), 1):
            zipped.writestr(f"key-{n}.pem", pem)
    return verdict


def sentence(verdict: custody.Verdict) -> str:
    if verdict.fault:
        return f"不完整 / NOT INTACT: {verdict.fault}"
    return f"完整 / intact: {verdict.rows} rows, head {verdict.head}"


def _keys(rows: list[custody.Row]) -> list[str]:
    return [json.loads(row.detail)["public_key"] for row in rows if row.kind == "OPENED"]


def _line(row: custody.Row) -> str:
    values = {name: getattr(row, name) for name in custody.Row.__slots__}
    return json.dumps(
        {key: value.hex() if isinstance(value, bytes) else value for key, value in values.items()},
        ensure_ascii=False,
    )


def _journal_csv(rows: list[custody.Row]) -> str:
    out, writer = _sheet(("n", "time (UTC+8)", "event", "bay", "docking", "recording", "detail"))
    for row in rows:
        at = datetime.fromtimestamp(row.at_ms / 1000, CHINA).isoformat(timespec="milliseconds")
        writer.writerow((row.n, at, row.kind, row.bay, row.docking, row.recording, row.detail))
    return out.getvalue()


def _recordings_csv(ledger: Ledger, only: str | None) -> str:
    names = ("id", "file", "camera", "size", "sha256", "sm3", "state", "member", "taken", "held")
    out, writer = _sheet(names)
    rows = ledger.recordings("id = ?", only) if only else ledger.recordings()
    for row in rows:
        writer.writerow([getattr(row, name) for name in names])
    return out.getvalue()


def _sheet(head: Sequence[str]):
    out = io.StringIO()
    out.write("\ufeff")  # so that spreadsheets read it as UTF-8
    writer = csv.writer(out)
    writer.writerow(head)
    return out, writer
