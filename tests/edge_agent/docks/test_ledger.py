"""A docking that is over has no say; a part of a step does not exist."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.docks import custody
from edge_agent.docks.ledger import Ledger, Revoked
from edge_agent.docks.rows import Recording
from edge_agent.docks.states import NotInTable, State, Step

ONE = Recording("1" * 32, "CAM001", b"A.mp4", 100, 0, "f" * 32, State.INVENTORIED, 1)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "ledger.db", custody.own_key(tmp_path))
    yield ledger
    ledger.close()


def test_whoever_wakes_up_after_the_camera_left_is_revoked(ledger: Ledger) -> None:
    docking = ledger.begin("bay-1", "CAM001", "CAM001")
    ledger.enlist(ONE, docking)
    ledger.advance(ONE.id, Step.START, docking=docking)
    ledger.end(docking)
    before = ledger.journal()
    for claim in (
        lambda: ledger.advance(ONE.id, Step.START, docking=docking),
        lambda: ledger.add_chunk(ONE.id, docking, 50, b""),
        lambda: ledger.enlist(ONE, docking),
    ):
        with pytest.raises(Revoked):
            claim()
    assert ledger.journal() == before and not ledger.chunks(ONE.id)
    ledger.end(docking)  # told twice by the kernel: ended once
    assert ledger.journal() == before


def test_a_recording_is_worked_on_in_one_bay_only(ledger: Ledger) -> None:
    """Two cameras that say they are the same one: the first has it until it leaves."""
    first, second = (ledger.begin(f"bay-{n}", "CAM001", "CAM001") for n in (1, 2))
    assert ledger.enlist(ONE, first).docking == first.id
    assert ledger.enlist(ONE, second).docking == first.id
    with pytest.raises(Revoked, match="another bay"):
        ledger.advance(ONE.id, Step.START, docking=second)
    ledger.end(first)
    assert ledger.enlist(ONE, second).docking == second.id


def test_a_step_that_fails_leaves_neither_state_nor_event(ledger: Ledger) -> None:
    docking = ledger.begin("bay-1", "CAM001", "CAM001")
    ledger.enlist(ONE, docking)
    before = ledger.journal()
    with pytest.raises(NotInTable):
        ledger.advance(ONE.id, Step.RELEASE)
    with pytest.raises(Exception, match="no such column"):
        ledger.advance(ONE.id, Step.START, docking=docking, no_such=1)
    assert ledger.journal() == before
    row = ledger.get(ONE.id)
    assert row and row.state is State.INVENTORIED


def test_two_processes_write_one_chain(ledger: Ledger, tmp_path: Path) -> None:
    """The command line holds a recording while the agent runs."""
    other = Ledger(tmp_path / "ledger.db", ledger.key)
    for n in range(5):
        (ledger, other)[n % 2].append("NOTE", {"n": n})
    other.close()
    verdict = custody.verify(ledger.db, [ledger.key.public_key()])
    assert (verdict.rows, verdict.fault) == (5, None)
