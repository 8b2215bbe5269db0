"""Someone changes the custody journal. The first changed row is named, however it was done."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from edge_agent.docks import custody
from tests.edge_agent.docks.rig import Rig

Tamper = Callable[[sqlite3.Connection], object]


async def _tampered(folder: Path, tamper: Tamper) -> custody.Verdict:
    rig = Rig(folder)
    camera = rig.camera("CAM001")
    async with rig.running() as docks:
        camera.dock(rig.bay(1))
        await rig.all_sealed(docks, camera)
        before = custody.verify(docks.ledger.db, [docks.ledger.key.public_key()])
        assert before.fault is None and before.rows > 20
    key = custody.load_key(rig.config.store / "custody.key").public_key()
    with closing(sqlite3.connect(rig.config.store / "ledger.db")) as db:
        db.execute("DROP TRIGGER journal_keeps")
        db.execute("DROP TRIGGER journal_keeps_all")
        tamper(db)
        db.commit()
        after = custody.verify(db, [key], (before.rows, before.head))
        assert after.fault, "nothing was noticed"
        return after


async def edited_row(folder: Path) -> None:
    verdict = await _tampered(
        folder, lambda db: db.execute("UPDATE journal SET at_ms = at_ms + 1 WHERE n = 7")
    )
    assert verdict.at == 7 and "edited" in (verdict.fault or "")


async def edited_row_with_its_hash(folder: Path) -> None:
    """The hash is made to fit: then the signature does not."""

    def tamper(db: sqlite3.Connection) -> None:
        row = list(db.execute("SELECT * FROM journal WHERE n = 7").fetchone())
        row[6] = row[6].replace("CAM001", "CAM002")
        row[6] = row[6] if "CAM002" in row[6] else '{"camera":"CAM002"}'
        hashed = custody.digest(*row[:8])
        db.execute("UPDATE journal SET detail = ?, hash = ? WHERE n = 7", (row[6], hashed))

    verdict = await _tampered(folder, tamper)
    assert verdict.at == 7 and "not signed" in (verdict.fault or "")


async def removed_row(folder: Path) -> None:
    verdict = await _tampered(folder, lambda db: db.execute("DELETE FROM journal WHERE n = 9"))
    assert verdict.at == 9 and "missing" in (verdict.fault or "")


async def removed_and_renumbered(folder: Path) -> None:
    def tamper(db: sqlite3.Connection) -> None:
        db.execute("DELETE FROM journal WHERE n = 9")
        db.execute("UPDATE journal SET n = -(n - 1) WHERE n > 9")
        db.execute("UPDATE journal SET n = -n WHERE n < 0")

    verdict = await _tampered(folder, tamper)
    assert verdict.at == 9 and "removed or replaced" in (verdict.fault or "")


async def truncated(folder: Path) -> None:
    """Rows cut off the end: the counter, the recordings' states and the county's pin know."""
    last: list[int] = []

    def tamper(db: sqlite3.Connection) -> None:
        last.append(db.execute("SELECT max(n) - 3 FROM journal").fetchone()[0])
        db.execute("DELETE FROM journal WHERE n > ?", last)

    verdict = await _tampered(folder / "pinned", tamper)
    assert verdict.at == last[0] + 1 and "county was told" in (verdict.fault or "")


async def truncated_without_a_pin(folder: Path) -> None:
    """Even with the counter mended, a recording is further than the journal says."""
    rig = Rig(folder)
    camera = rig.camera("CAM001")
    async with rig.running() as docks:
        camera.dock(rig.bay(1))
        await rig.all_sealed(docks, camera)
    key = custody.load_key(rig.config.store / "custody.key").public_key()
    with closing(sqlite3.connect(rig.config.store / "ledger.db")) as db:
        db.execute("DROP TRIGGER journal_keeps_all")
        (first,) = db.execute("SELECT min(n) FROM journal WHERE kind = 'ANNOUNCED'").fetchone()
        db.execute("DELETE FROM journal WHERE n >= ?", (first,))
        counted = custody.verify(db, [key])
        assert counted.at == first and "were written" in (counted.fault or "")
        db.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'journal'", (first - 1,))
        mended = custody.verify(db, [key])
        assert mended.at == first and "no row says so" in (mended.fault or "")


JOURNAL_SCENARIOS = (
    edited_row,
    edited_row_with_its_hash,
    removed_row,
    removed_and_renumbered,
    truncated,
    truncated_without_a_pin,
)
