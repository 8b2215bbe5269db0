"""The disk that forgets, itself: what was synced stays, what was not is gone."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.unsynced_disk import UnsyncedDisk

pytestmark = pytest.mark.skipif(not os.access("/dev/fuse", os.W_OK), reason="no /dev/fuse here")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[UnsyncedDisk]:
    with UnsyncedDisk(tmp_path / "behind", tmp_path / "mounted") as disk:
        yield disk


def test_only_what_was_synced_survives_the_cut(disk: UnsyncedDisk) -> None:
    with (disk.mounted / "file").open("wb") as file:
        file.write(b"synced")
        file.flush()
        os.fsync(file.fileno())
        file.write(b", not synced")
        file.flush()
    assert (disk.mounted / "file").read_bytes() == b"synced, not synced"
    disk.cut()
    disk.mount()
    assert (disk.mounted / "file").read_bytes() == b"synced"


def test_a_removal_not_synced_comes_back(disk: UnsyncedDisk) -> None:
    (disk.mounted / "old").write_bytes(b"x")
    folder = os.open(disk.mounted, os.O_RDONLY)
    os.fsync(folder)
    (disk.mounted / "old").unlink()
    assert not (disk.mounted / "old").exists()
    os.close(folder)
    disk.cut()
    disk.mount()
    assert (disk.mounted / "old").exists()


@pytest.mark.parametrize(("synchronous", "left"), [("FULL", 3), ("OFF", 0)])
def test_sqlite_keeps_what_it_syncs(disk: UnsyncedDisk, synchronous: str, left: int) -> None:
    """The very difference that the outbox relies on is visible here."""
    db = sqlite3.connect(disk.mounted / "test.db", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE row (n)")
    db.execute(f"PRAGMA synchronous = {synchronous}")
    for n in range(3):
        db.execute("INSERT INTO row VALUES (?)", (n,))
    disk.cut()
    disk.mount()
    again = sqlite3.connect(disk.mounted / "test.db")
    assert again.execute("SELECT count(*) FROM row").fetchone() == (left,)
    assert disk.fsyncs >= 0
    again.close()
