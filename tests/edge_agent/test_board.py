from __future__ import annotations

import asyncio
import gc

from edge_agent import board as boards
from edge_agent.board import Board
from edge_agent.event import Event, Klass
from patrol_contract import messages
from patrol_contract.examples import EXAMPLES


def event(topic: str, payload: bytes) -> Event:
    return Event(topic, payload, Klass.TELEMETRY, "u-0123", "0" * 16, 1, at=5.0)


def location() -> Event:
    return event(
        "owntracks/c371500/u-0123",
        messages.encode("unit_location", EXAMPLES["unit_location"][1]),
    )


def test_a_committed_location_is_on_the_board() -> None:
    board = Board()
    board.observe(location())
    row = board.view()["unit"]["u-0123"]
    assert (row["lat"], row["lon"], row["at"]) == (312480350, 1215873800, 5.0)


def test_a_malformed_payload_leaves_it_as_it_is() -> None:
    board = Board()
    board.observe(event("owntracks/c371500/u-0123", b"\xff"))
    board.observe(event("elsewhere", b"{}"))
    assert board.view()["unit"] == {}


async def test_followers_get_each_change_once_and_none_for_no_change() -> None:
    board = Board()
    follower = board.changes()
    first = asyncio.ensure_future(anext(follower))
    await asyncio.sleep(0)
    board.put("fault", "sensors", {"why": "x"})
    board.put("fault", "sensors", {"why": "x"})
    board.fault("sensors", None)
    assert await first == ("fault", "sensors", {"why": "x"})
    assert await anext(follower) == ("fault", "sensors", None)


async def test_what_changes_before_a_follower_first_listens_is_not_lost() -> None:
    """A page takes the view and begins to listen; an SOS that comes between must be on it."""
    board = Board()
    follower = board.changes()
    view = {section: dict(rows) for section, rows in board.view().items()}
    board.put("sos", "1" * 16, {"unit": "u-0001"})
    assert view["sos"] == {}
    async with asyncio.timeout(1):
        assert await anext(follower) == ("sos", "1" * 16, {"unit": "u-0001"})


async def test_a_follower_that_never_listened_is_forgotten() -> None:
    board = Board()
    follower = board.changes()
    assert len(board._followers) == 1  # pyright: ignore[reportPrivateUsage]
    del follower
    gc.collect()
    assert len(board._followers) == 0  # pyright: ignore[reportPrivateUsage]


async def test_a_follower_that_lags_is_told_to_start_again() -> None:
    board = Board()
    follower = board.changes()
    first = asyncio.ensure_future(anext(follower))
    await asyncio.sleep(0)
    for n in range(boards.BEHIND + 5):
        board.put("count", "n", {"n": n})
    await first
    for n in range(boards.BEHIND + 5):
        board.put("count", "n", {"n": -n})
    assert await anext(follower) is None
