"""The alarm carried out: on the outbox, the board and a siren that may fail."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from edge_agent.alarm_room import AlarmConfig, AlarmRoom
from edge_agent.board import Board
from edge_agent.event import Event, Klass
from edge_agent.outbox import Outbox
from edge_agent.uplink_flight import Answer
from patrol_contract import messages, topics
from patrol_contract.examples import EXAMPLES

U = "u-0123"


def sos(discreet: bool = False) -> Event:
    fields = {**EXAMPLES["unit_sos"][1], "state": "raised", "revision": 1, "discreet": discreet}
    return Event(
        topics.topic("unit_sos", C="c371500", U=U), messages.encode("unit_sos", fields), Klass.SOS,
        U, fields["boot"], fields["seq"], sos=fields["id"], state="raised", at=time.time(),
    )  # fmt: skip


class Room:
    """One start of the agent's alarm."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.siren: list[bool] = []
        self.broken = 0  # how many times the siren's output fails
        self.followed: list[set[str]] = []

    async def start(self) -> None:
        self.board = Board()
        self.outbox = Outbox(self.folder / "outbox.db")
        await self.outbox.open()
        self.room = AlarmRoom(
            AlarmConfig(), self.outbox, self.board, set_siren=self._set,
            follow=self.followed.append,
        )  # fmt: skip
        self.outbox.on_sos(self.room.received)
        self.task = asyncio.create_task(self.room.run())

    async def _set(self, on: bool) -> None:
        if self.broken:
            self.broken -= 1
            raise OSError("relay board does not answer")
        self.siren.append(on)

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.outbox.close()


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not within the time"
        await asyncio.sleep(0.01)


async def test_siren_and_page_at_once_and_again_after_a_restart(tmp_path: Path) -> None:
    here = Room(tmp_path)
    await here.start()
    event = sos()
    here.outbox.submit(event)
    await until(lambda: here.siren[-1:] == [True], 1)
    assert here.board.get("sos", event.sos or "")["phase"] == "alone"
    assert here.followed == [{U}]
    await here.outbox.kept("alarm")  # what it kept before is committed with it
    await asyncio.sleep(0.2)
    await here.stop()
    here.siren.clear()
    began = time.monotonic()
    await here.start()
    await until(lambda: here.siren[-1:] == [True])
    await until(lambda: here.board.get("sos", event.sos or ""))
    assert time.monotonic() - began < 5
    await here.stop()


async def test_a_siren_that_fails_is_shown_and_tried_again(tmp_path: Path) -> None:
    here = Room(tmp_path)
    here.broken = 2
    await here.start()
    await until(lambda: "relay board" in here.board.get("fault", "siren").get("why", ""))
    here.outbox.submit(sos())
    await until(lambda: here.siren[-1:] == [True])
    assert here.board.get("fault", "siren") == {}
    await here.stop()


async def test_a_discreet_sos_is_on_the_page_only(tmp_path: Path) -> None:
    here = Room(tmp_path)
    await here.start()
    event = sos(discreet=True)
    here.outbox.submit(event)
    await until(lambda: here.board.get("sos", event.sos or ""))
    here.room.answer(Answer(event, 0x10))
    await until(lambda: here.board.get("sos", event.sos or "")["unheard"])
    assert True not in here.siren
    await here.stop()


async def test_a_wall_clock_set_by_years_neither_hurries_nor_holds_the_siren(
    tmp_path: Path,
) -> None:
    wall, ticks = 1.8e9, 5000.0
    here = Room(tmp_path)
    here.board = Board()
    here.outbox = Outbox(tmp_path / "outbox.db")
    await here.outbox.open()
    here.room = AlarmRoom(
        AlarmConfig(), here.outbox, here.board, set_siren=here._set,
        clock=lambda: wall, ticks=lambda: ticks,
    )  # fmt: skip
    here.outbox.on_sos(here.room.received)
    here.task = asyncio.create_task(here.room.run())
    here.room.county(True)
    event = sos()
    here.outbox.submit(event)
    key = event.sos or ""
    await until(lambda: here.board.get("sos", key).get("phase") == "waiting")
    wall += 10 * 31_557_600
    here.room.county(True)  # whatever happens next, the alarm looks at the time again
    await here.outbox.kept("alarm")
    await asyncio.sleep(0.05)
    assert here.board.get("sos", key)["phase"] == "waiting" and True not in here.siren
    wall -= 20 * 31_557_600
    ticks += 61
    here.room.county(True)
    await until(lambda: here.siren[-1:] == [True])
    assert here.board.get("sos", key)["phase"] == "overdue"
    await here.stop()
