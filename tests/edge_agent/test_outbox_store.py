"""The outbox's file: bounds by class, what of an SOS is kept, damage, a full disk."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from edge_agent.event import Event, Klass, Stamp
from edge_agent.outbox_record import (
    EVENT,
    LANE_SHIFT,
    LANES,
    SOS,
    TELEMETRY,
    Batch,
    Bounds,
    Held,
    lane_of,
)
from edge_agent.outbox_recovery import Recovery
from edge_agent.outbox_store import Store
from edge_agent.outbox_thin import halve

SOS_ID = "9b1d6ae2f00c4417"


def row(number: int, klass: Klass = Klass.TELEMETRY, **more: Any) -> Held:
    payload = more.pop("payload", b"x" * 300)
    event = Event(
        "owntracks/c/u", payload, klass, "u-1", "0" * 16, number, at=float(number), **more
    )
    return Held(lane_of(event) << LANE_SHIFT | number, event)


def sos(number: int, state: str) -> Held:
    return row(number, Klass.SOS, sos=SOS_ID, state=state)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "outbox.db", Bounds(telemetry=100_000, event=50_000))
    store.open()
    yield store
    store.close()


def counted(store: Store) -> dict[int, tuple[int, int]]:
    """The tally as it would be if it were counted now."""
    real = dict.fromkeys(LANES, (0, 0))
    for lane, n, size in store.db.execute(
        "SELECT id >> 56, count(*), sum(length(topic) + length(payload) + 80)"
        " FROM record GROUP BY 1"
    ):
        real[lane] = (n, size)
    return real


def test_every_field_comes_back(store: Store) -> None:
    sent = [
        row(1, Klass.EVENT, retain=True, qos=0, payload=b"\xff\x00 not text"),
        sos(2, "raised"),
        row(3, Klass.SOS),
        *(row(number) for number in range(4, 199)),
        row(199, stamp=Stamp("b" * 32, 12.5, 1.0e9)),
    ]
    store.apply(Batch(inserts=sent))
    back = [held for lane in LANES for held in store.page(lane, 0, 1000)]
    assert sorted(back) == sorted(sent)
    assert store.last_number() == 199
    assert store.tally == counted(store)


def test_deleted_once_or_twice_the_tally_is_right(store: Store) -> None:
    rows = [row(number) for number in range(1, 101)]
    store.apply(Batch(inserts=rows))
    store.apply(Batch(deletes=rows[:50]))
    store.apply(Batch(inserts=[row(200, Klass.EVENT)], deletes=rows[40:60]))
    assert store.tally == counted(store)
    assert store.tally[TELEMETRY].rows == 40


def test_of_an_sos_only_raise_newest_update_and_cancel_stay(store: Store) -> None:
    states = ["raised", *["updated"] * 20, "cancelled", "updated"]
    for number, state in enumerate(states, 1):
        store.apply(Batch(inserts=[sos(number, state)]))
    kept = [(held.event.seq, held.event.state) for held in store.page(SOS, 0, 100)]
    assert kept == [(1, "raised"), (22, "cancelled"), (23, "updated")]
    (gap,) = store.db.execute("SELECT sender, why, low, high, count FROM gap").fetchall()
    assert gap == ("u-1", "superseded", 2, 21, 20)
    assert store.tally == counted(store)


def test_telemetry_is_thinned_then_dropped_oldest_first_and_declared(tmp_path: Path) -> None:
    store = Store(tmp_path / "bounded.db", Bounds(telemetry=1_000_000))
    store.open()
    for start in range(1, 20_001, 100):
        store.apply(Batch(inserts=[row(number) for number in range(start, start + 100)]))
    store.apply(Batch(inserts=[row(90_000, Klass.EVENT), sos(90_001, "raised")]))
    left = [held.event.seq for held in store.page(TELEMETRY, 0, 10_000)]
    assert store.tally == counted(store)
    assert store.tally[TELEMETRY].bytes <= 1_000_000
    assert left[-100:] == list(range(19_901, 20_001)), "the newest are whole"
    assert left[0] < 15_000, "of the older some are left"
    gaps = store.db.execute("SELECT why, count FROM gap").fetchall()
    assert sum(count for _, count in gaps) + len(left) == 20_000
    assert {why for why, _ in gaps} == {"full", "thinned"}
    assert store.tally[EVENT].rows == store.tally[SOS].rows == 1
    store.close()


def test_halving_is_by_topic() -> None:
    rows = [(n, "u", "b", n, 0.0, 1, "topic-" + "ab"[n % 2], 0) for n in range(8)]
    worn, drop, keep = halve(rows)
    assert worn == []
    assert [r[0] for r in keep] == [0, 1, 4, 5]
    assert [r[0] for r in drop] == [2, 3, 6, 7]


def test_a_rooms_mistake_undoes_its_own_work_only(store: Store) -> None:
    good: Future[Any] = Future()
    bad: Future[Any] = Future()

    def fail(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO kept VALUES ('a', 'x')")
        db.execute("INSERT INTO kept VALUES ('a', 'y')")

    works = [(fail, bad), (lambda db: db.execute("INSERT INTO kept VALUES ('b','z')"), good)]
    store.apply(Batch(inserts=[row(1)], works=works))
    assert isinstance(bad.exception(), sqlite3.IntegrityError)
    assert good.exception() is None
    assert store.db.execute("SELECT key FROM kept").fetchall() == [("b",)]
    assert store.tally[TELEMETRY].rows == 1


# -- faults of the disk ----------------------------------------------------------------------------


def filled(path: Path, rows: int = 2000) -> None:
    store = Store(path, Bounds())
    store.open()
    store.apply(Batch(inserts=[sos(1, "raised"), *(row(n) for n in range(2, rows))]))
    store.close()


@pytest.mark.parametrize("what", ["noise", "foreign", "truncated", "older schema"])
def test_a_file_that_is_not_ours_or_not_whole_is_set_aside(tmp_path: Path, what: str) -> None:
    path = tmp_path / "outbox.db"
    if what == "noise":
        path.write_bytes(os.urandom(50_000))
    elif what == "foreign":
        with sqlite3.connect(path) as db:
            db.execute("CREATE TABLE somebody (else_s)")
    else:
        filled(path)
        if what == "truncated":
            path.write_bytes(path.read_bytes()[:1000])
        else:
            with sqlite3.connect(path) as db:
                db.execute("PRAGMA user_version = 99")
    recovery = Recovery(Store(path, Bounds()))
    recovery.open()
    assert recovery.fault is None
    assert recovery.apply(Batch(inserts=[row(5)])) is None
    (aside,) = recovery.aside
    assert (tmp_path / aside).exists()
    recovery.store.close()


def test_a_file_of_the_schema_before_is_brought_on_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    filled(path, 10)
    with sqlite3.connect(path) as db:  # as the first release made it
        db.executescript("""
            ALTER TABLE record DROP COLUMN stamp; DROP TABLE gap;
            CREATE TABLE gap (
                sender TEXT NOT NULL, boot TEXT NOT NULL, klass INTEGER NOT NULL,
                why TEXT NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL,
                count INTEGER NOT NULL, since REAL NOT NULL, until REAL NOT NULL,
                PRIMARY KEY (sender, boot, klass, why)) WITHOUT ROWID;
            INSERT INTO gap VALUES ('u-1', 'b', 2, 'full', 1, 2, 2, 3.0, 4.0);
            PRAGMA user_version = 1;
        """)
    recovery = Recovery(Store(path, Bounds()))
    assert len(recovery.open().sos) == 1
    assert recovery.apply(Batch(inserts=[row(50)])) is None
    assert recovery.aside == [] and recovery.fault is None
    assert [held.event.seq for held in recovery.store.page(TELEMETRY, 0, 100)] == [
        *range(2, 10),
        50,
    ]
    gaps = recovery.store.db.execute("SELECT sender, clock, low, until FROM gap").fetchall()
    assert gaps == [("u-1", "", 1, 4.0)]
    recovery.store.close()


def test_damage_found_later_takes_over_what_is_legible(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    filled(path)
    data = bytearray(path.read_bytes())
    middle = len(data) * 2 // 3 // 4096 * 4096
    data[middle : middle + 8192] = os.urandom(8192)
    path.write_bytes(data)
    recovery = Recovery(Store(path, Bounds()))
    opened = recovery.open()
    assert [held.event.state for held in opened.sos] == ["raised"]
    recovery.page(TELEMETRY, 0, 5000)  # runs into the damage
    assert len(recovery.aside) == 1
    assert 100 < recovery.store.tally[TELEMETRY].rows < 1998
    assert recovery.store.tally[SOS].rows == 1
    assert recovery.store.tally == counted(recovery.store)
    recovery.store.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    mounted = tmp_path / "small"
    mounted.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(mounted)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting needs root")
    yield mounted
    subprocess.run(["umount", "-l", str(mounted)], check=True)


def test_a_full_disk_costs_telemetry_and_no_sos(small_disk: Path) -> None:
    recovery = Recovery(Store(small_disk / "outbox.db", Bounds()))
    recovery.open()
    number, refused = 0, 0
    for _ in range(200):  # about 40 MB for a disk of 16
        rows = [row(number + n) for n in range(500)]
        number += 500
        refused += recovery.apply(Batch(inserts=rows)) is not None
        assert recovery.apply(Batch(inserts=[sos(number, "raised")])) is None
        number += 1
    assert refused == 0
    assert recovery.store.tally[SOS].rows == 200
    assert recovery.store.db.execute("SELECT sum(count) FROM gap").fetchone()[0] > 50_000
    recovery.store.close()


def test_a_disk_full_of_other_things_is_said_and_overcome(small_disk: Path) -> None:
    recovery = Recovery(Store(small_disk / "outbox.db", Bounds()))
    recovery.open()
    hog = small_disk / "hog"
    with hog.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65536))
        except OSError:
            pass
    number, said = 1, None
    while said is None and number < 100_000:  # until the reserve is spent too
        said = recovery.apply(
            Batch(inserts=[row(n, Klass.EVENT) for n in range(number, number + 500)])
        )
        number += 500
    assert said is not None and "the disk is full" in said and "card" in said
    hog.unlink()
    assert recovery.apply(Batch(inserts=[row(number, Klass.EVENT)])) is None
    assert recovery.fault is None
    recovery.store.close()
