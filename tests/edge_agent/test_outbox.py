"""The outbox on the event loop: accepted means committed; an SOS does not wait for the disk."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import sqlite3
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from edge_agent import outbox_cli
from edge_agent.event import Event, Klass, Stamp
from edge_agent.outbox import Outbox
from edge_agent.outbox_file import LOG_BYTES
from edge_agent.outbox_gaps import Gaps
from edge_agent.outbox_record import Bounds, Held, StoreFault
from edge_agent.outbox_store import Store
from edge_agent.reporter import Reporter
from patrol_contract import messages, topics

SOS_ID = "9b1d6ae2f00c4417"


def event(seq: int, klass: Klass = Klass.TELEMETRY, **more: Any) -> Event:
    return Event("owntracks/c/u", b"{}", klass, "u-1", "0" * 16, seq, at=time.time(), **more)


def sos(seq: int, state: str = "raised") -> Event:
    return event(seq, Klass.SOS, sos=SOS_ID, state=state)


@pytest.fixture
async def outbox(tmp_path: Path) -> AsyncIterator[Outbox]:
    outbox = Outbox(tmp_path / "outbox.db")
    await outbox.open()
    yield outbox
    await outbox.close()


def on_disk(outbox: Outbox) -> list[int]:
    with sqlite3.connect(outbox.store.path) as db:
        return [row[0] for row in db.execute("SELECT seq FROM record ORDER BY id")]


async def until(condition: Any, seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not within the time"
        await asyncio.sleep(0.005)


async def test_accepted_means_committed(outbox: Outbox) -> None:
    for seq in range(1, 50):
        await outbox.accept(event(seq))
        assert seq in on_disk(outbox)


async def test_under_load_many_share_a_commit(outbox: Outbox) -> None:
    before = outbox.store.commits
    await asyncio.gather(*(outbox.submit(event(seq)) for seq in range(1, 2001)))
    assert outbox.store.commits - before < 50
    assert on_disk(outbox) == list(range(1, 2001))


async def test_sos_first_then_custody_events_telemetry(outbox: Outbox) -> None:
    for seq in range(1, 1001):  # more telemetry than memory holds
        outbox.submit(event(seq))
    await outbox.accept(event(2001, Klass.EVENT))
    await outbox.accept(event(3001, Klass.SOS))
    await outbox.accept(sos(4001))
    taken: list[int] = []
    while len(taken) < 1003:
        held = outbox.next()
        if held is None:
            await asyncio.sleep(0.001)
        else:
            taken.append(held.event.seq)
            outbox.done(held)
    assert taken == [4001, 3001, 2001, *range(1, 1001)]
    await until(lambda: on_disk(outbox) == [])


async def test_an_sos_is_on_its_way_before_its_commit(outbox: Outbox) -> None:
    heard: list[Event] = []
    outbox.on_sos(heard.append)
    accepted = outbox.submit(sos(1))
    held = outbox.next()
    assert held is not None and held.event.seq == 1 and heard == [held.event]
    assert not accepted.done()
    await accepted


async def test_given_back_it_keeps_its_place(outbox: Outbox) -> None:
    await asyncio.gather(*(outbox.submit(event(seq)) for seq in range(1, 6)))
    await outbox.accept(sos(10))
    await until(lambda: len(outbox.feed) == 6)
    out = [outbox.next() for _ in range(4)]
    outbox.give_back([held for held in out if held is not None])
    again = [outbox.next() for _ in range(6)]
    assert [held.event.seq for held in again if held is not None] == [10, 1, 2, 3, 4, 5]


async def test_an_update_that_was_overtaken_is_not_sent_again(outbox: Outbox) -> None:
    await outbox.accept(sos(1))
    await outbox.accept(sos(2, "updated"))
    out = [outbox.next(), outbox.next()]
    await outbox.accept(sos(3, "updated"))
    outbox.give_back([held for held in out if held is not None])
    left = [outbox.next(), outbox.next(), outbox.next()]
    assert [held.event.seq for held in left if held is not None] == [1, 3]


async def test_what_is_left_comes_back_after_a_restart(tmp_path: Path) -> None:
    first = Outbox(tmp_path / "outbox.db")
    await first.open()
    await asyncio.gather(*(first.submit(event(seq)) for seq in range(1, 701)))
    await first.accept(sos(800))
    await first.keep("alarm", b"open")
    for _ in range(100):
        held = first.next()
        assert held is not None
        first.done(held)
    await first.close()
    again = Outbox(tmp_path / "outbox.db")
    await again.open()
    await until(lambda: len(again.feed) > 500)
    held = again.next()
    assert held is not None and held.event.seq == 100
    assert await again.kept("alarm") == b"open"
    await again.accept(event(900))
    assert on_disk(again)[-1] == 900
    await again.close()


class Refusing(Store):
    """A disk that takes nothing while `broken`."""

    broken = False

    def apply(self, batch: Any) -> None:
        if self.broken:
            raise sqlite3.OperationalError("attempt to write a readonly database")
        super().apply(batch)


async def test_on_a_disk_that_refuses_an_sos_moves_and_the_rest_is_refused(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    store = Refusing(tmp_path / "outbox.db", Bounds())
    outbox.recovery.store = store
    await outbox.open()
    store.broken = True
    with pytest.raises(StoreFault, match=r"outbox\.db"):
        await outbox.accept(event(1))
    assert outbox.fault is not None
    accepted = outbox.submit(sos(2))
    held = outbox.next()
    assert held is not None and held.event.seq == 2
    await asyncio.sleep(0.1)
    assert not accepted.done()
    outbox.done(held)  # the county has it: that is as good as a commit
    await accepted
    late = outbox.submit(sos(3, "cancelled"))
    store.broken = False  # the disk is well again: it is tried by itself
    await asyncio.wait_for(late, 5)
    assert outbox.fault is None
    assert 3 in on_disk(outbox)
    await outbox.close()


class Rotting(Store):
    """A file that turns to noise under the agent, once."""

    rotten = False

    def apply(self, batch: Any) -> None:
        if self.rotten:
            self.rotten = False
            self.close()
            for part in self.path.parent.glob("outbox.db-*"):
                part.unlink()
            self.path.write_bytes(os.urandom(100_000))
            self.open()
        super().apply(batch)


async def test_damage_while_running_loses_nothing_that_is_in_memory(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    store = Rotting(tmp_path / "outbox.db", Bounds())
    outbox.recovery.store = store
    await outbox.open()
    await asyncio.gather(*(outbox.submit(event(seq)) for seq in range(1, 301)))
    await until(lambda: len(outbox.feed) == 300)
    assert [outbox.next() for _ in range(10)][-1] is not None
    store.rotten = True
    await outbox.accept(event(301))
    await until(lambda: set(on_disk(outbox)) == set(range(1, 302)))
    assert len(outbox.recovery.aside) == 1
    await outbox.close()


def told(outbox: Outbox, name: str) -> list[dict[str, Any]]:
    """Messages of that kind that wait for the county."""
    with sqlite3.connect(outbox.store.path) as db:
        rows = db.execute("SELECT topic, payload FROM record ORDER BY id").fetchall()
    return [
        messages.decode(name, payload)
        for topic, payload in rows
        if (found := topics.parse(topic)) is not None and found[0] == name
    ]


async def test_what_was_dropped_is_declared_once(outbox: Outbox) -> None:
    for seq in range(1, 6):
        await outbox.accept(sos(seq, "updated"))
    gaps = Gaps(outbox, Reporter("c", "k-07", outbox.accept))
    assert await gaps.declare() == 1
    assert await gaps.declare() == 0
    (gap,) = told(outbox, "cp_gap")
    assert (gap["from"], gap["to"], gap["count"]) == (1, 4, 4)
    assert (gap["of_sender"], gap["why"]) == ("u-1", "superseded")


@pytest.mark.parametrize("known", [False, True])
async def test_what_was_dropped_without_a_clock_says_when_only_if_that_is_known(
    outbox: Outbox, known: bool
) -> None:
    for seq in range(1, 4):
        stamp = Stamp("b" * 32, 100.0 + seq, 5e8)
        await outbox.accept(dataclasses.replace(sos(seq, "updated"), stamp=stamp, at=5e8))

    def moment(boot: str, up: float) -> float | None:
        assert boot == "b" * 32
        return 1.8e9 + up if known else None

    await Gaps(outbox, Reporter("c", "k-07", outbox.accept), moment).declare()
    (gap,) = told(outbox, "cp_gap")
    when = (gap.get("since"), gap.get("until"))
    assert when == ((1_800_000_101, 1_800_000_102) if known else (None, None))


async def test_idle_latency_is_one_commit(outbox: Outbox) -> None:
    times: list[float] = []
    for seq in range(1, 101):
        began = time.perf_counter()
        await outbox.accept(event(seq))
        times.append(time.perf_counter() - began)
    assert sorted(times)[50] < 0.005


HOLDS_IT = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
"""


async def test_another_program_that_holds_the_file_is_named_and_outlasted(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    await outbox.accept(event(1))
    outbox.store.db.execute("PRAGMA busy_timeout = 200")
    monkeypatch.setattr("edge_agent.outbox_file.BUSY_S", 0.2)
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDS_IT, str(outbox.store.path),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert holder.stdout is not None and holder.stdin is not None
    assert await holder.stdout.readline() == b"held\n"
    with pytest.raises(StoreFault, match="another program"):
        await outbox.accept(event(2))
    waiting = outbox.submit(sos(3))
    assert outbox.next() is not None, "an SOS is on its way all the same"
    holder.stdin.write(b"\n")
    await holder.wait()
    await asyncio.wait_for(waiting, 10)
    assert outbox.fault is None and outbox.recovery.aside == []
    assert on_disk(outbox) == [3, 1]


async def test_who_reads_the_file_does_not_make_its_log_grow_for_ever(outbox: Outbox) -> None:
    """A technician's `outbox export | less`: it reads some rows at a time, in no transaction."""
    for seq in range(1, 1200):
        outbox.submit(event(seq, Klass.EVENT))
    await outbox.accept(event(1200, Klass.EVENT))
    log = outbox.store.path.with_name("outbox.db-wal")
    with contextlib.closing(sqlite3.connect(outbox.store.path)) as db:
        reader = outbox_cli.records(db)
        next(reader)
        large = dataclasses.replace(event(2000), payload=b"x" * 8000)
        for _ in range(20):
            await asyncio.gather(*(outbox.submit(large) for _ in range(250)))
        assert log.stat().st_size < 3 * LOG_BYTES
        assert sum(1 for _ in reader) >= 1199


def test_a_record_knows_its_lane() -> None:
    assert Held(2 << 56 | 5, event(1)).lane == 2
