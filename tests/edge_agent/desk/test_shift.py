"""Shifts and checks, and what the county hears of them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from edge_agent.board import Board
from edge_agent.desk.checks import Checks
from edge_agent.desk.config import load_places
from edge_agent.desk.rights import Refused
from edge_agent.desk.shift import Shift, day
from edge_agent.desk.store import Store
from edge_agent.event import Event
from edge_agent.reporter import Reporter
from patrol_contract import messages

ALARM_S = 300


class Desk:
    """Shift and checks over a store; `sent` is what the county gets, decoded."""

    def __init__(self, folder: Path) -> None:
        self.now = 1_785_859_200.0  # 2026-08-05 00:00 in UTC+8
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.store = Store(folder / "desk.db")
        self.broken = False
        self.alarm_s = ALARM_S
        self.restart()

    def restart(self) -> None:
        self.board = Board()
        self.reporter = Reporter("c371500", "k-07", self.accept, clock=lambda: self.now)
        clock = lambda: self.now  # noqa: E731
        self.shift = Shift(self.store, self.board, self.reporter.report, clock, self.alarm_s)
        self.checks = Checks(
            self.store, self.board, self.shift, self.reporter.report, self.reporter.boot, clock
        )

    async def accept(self, event: Event) -> None:
        if self.broken:
            raise OSError("disk")
        name = "cp_" + event.topic.rsplit("/", 1)[1]
        self.sent.append((name, messages.decode(name, event.payload)))

    async def check(self, n: int, what: str = "person", plate: str = "") -> None:
        await self.checks.record(f"{n:016x}", what, "pass", plate, "spring", "李")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_a_shift_has_the_date_it_began(desk: Desk) -> None:
    desk.now -= 600  # ten to midnight
    await desk.shift.sign_on("王")
    desk.now += 1200
    await desk.shift.sign_on("李")
    name, fields = desk.sent[-1]
    assert name == "cp_shift" and fields["date"] == "2026-08-04" and not fields["unstaffed"]
    assert [row["who"] for row in fields["on"]] == ["王", "李"]
    assert day(desk.now) == "2026-08-05"
    with pytest.raises(Refused, match="err_is_on"):
        await desk.shift.sign_on("王")


async def test_unstaffed_is_told_and_shown(desk: Desk) -> None:
    assert desk.board.get("shift", "now")["unstaffed"]
    await desk.shift.sign_on("王")
    await desk.shift.sign_off("王")
    assert desk.sent[-1][1]["unstaffed"] and desk.board.get("shift", "now")["unstaffed"]
    with pytest.raises(Refused, match="err_not_on"):
        await desk.shift.sign_off("王")


async def test_nobody_on_for_too_long_is_an_alarm(desk: Desk) -> None:
    now = lambda: desk.board.get("shift", "now")  # noqa: E731
    await desk.shift.sign_on("王")
    desk.now += 3600
    await desk.shift.sign_off("王")
    watching = asyncio.create_task(desk.shift.watch())
    desk.now += ALARM_S - 1
    await asyncio.sleep(0)
    assert not now()["alarm"]
    desk.restart()  # the time that nobody was here does not begin anew
    again = asyncio.create_task(desk.shift.watch())
    desk.now += 1
    async with asyncio.timeout(5):
        while not now()["alarm"]:  # noqa: ASYNC110 - it looks once a second
            await asyncio.sleep(0.02)
    await desk.shift.sign_on("李")
    assert not now()["alarm"]
    for task in (watching, again):
        task.cancel()
    await asyncio.gather(watching, again, return_exceptions=True)


async def test_where_unstaffed_is_policy_of_nobody_it_never_sounds(desk: Desk) -> None:
    desk.alarm_s = 0
    desk.restart()
    desk.now += 30 * 24 * 3600
    await desk.shift.tell()
    assert desk.sent[-1][1]["unstaffed"] and not desk.board.get("shift", "now")["alarm"]


async def test_hand_over_begins_a_new_shift_with_the_note(desk: Desk) -> None:
    await desk.shift.sign_on("王")
    await desk.check(1)
    first = desk.shift.id
    desk.now += 8 * 3600
    await desk.shift.hand_over("王", "道闸偶尔卡住")
    assert desk.shift.id != first and desk.shift.on[0]["who"] == "王"
    sheet = await desk.shift.sheet(desk.shift.id)
    assert sheet["note_before"] == "道闸偶尔卡住"
    old = await desk.shift.sheet(first)
    assert old["shift"]["ended_by"] == "王" and old["people"][0]["who"] == "王"
    await desk.checks.show()
    assert desk.board.get("check", "totals")["shift"] == {}
    assert desk.board.get("check", "totals")["day"] == {"person pass": 1}


async def test_who_is_on_outlives_a_restart(desk: Desk) -> None:
    await desk.shift.sign_on("王")
    desk.restart()
    assert [row["who"] for row in desk.board.get("shift", "now")["on"]] == ["王"]


async def test_a_roll_call_is_answered_with_who_is_on(desk: Desk) -> None:
    await desk.shift.sign_on("王")
    await desk.shift.tell("a" * 16)
    assert desk.sent[-1][1]["rollcall"] == "a" * 16


async def test_a_press_sent_twice_counts_once(desk: Desk) -> None:
    await desk.check(1)
    await desk.check(1)
    await desk.check(2, "vehicle", "鲁PD12345")
    sent = [fields for name, fields in desk.sent if name == "cp_check"]
    assert len(sent) == 2
    assert (sent[1]["persons"], sent[1]["vehicles"]) == (1, 1)
    assert sent[1]["plate"] == "鲁PD12345" and sent[1]["operation"] == "spring"
    assert desk.board.get("check", "totals")["operations"] == {"spring": 2}


async def test_a_slip_is_taken_back_by_its_number(desk: Desk) -> None:
    await desk.check(1)
    number = desk.sent[-1][1]["seq"]
    await desk.checks.undo(f"{1:016x}")
    undone = desk.sent[-1][1]
    assert undone["undo"] == number and undone["persons"] == 0
    with pytest.raises(Refused, match="err_no_check"):
        await desk.checks.undo(f"{1:016x}")


async def test_what_a_fault_kept_from_the_county_is_sent_at_the_next_start(desk: Desk) -> None:
    desk.broken = True
    with pytest.raises(OSError):
        await desk.check(1)
    desk.broken = False
    desk.restart()
    await desk.checks.start()
    assert [name for name, _ in desk.sent] == ["cp_check"]
    await desk.checks.start()
    assert len(desk.sent) == 1


async def test_a_check_of_an_earlier_boot_is_taken_back_by_that_boot(desk: Desk) -> None:
    await desk.check(1)
    sent, boot = desk.sent[-1][1], desk.reporter.boot
    desk.restart()
    await desk.checks.undo(f"{1:016x}")
    undone = desk.sent[-1][1]
    assert desk.reporter.boot != boot == undone["undo_boot"]
    assert undone["undo"] == sent["seq"] and undone["persons"] == 0
    with pytest.raises(Refused, match="err_no_check"):
        await desk.checks.undo(f"{1:016x}")


async def test_what_the_county_never_heard_is_told_and_taken_back(desk: Desk) -> None:
    desk.broken = True
    with pytest.raises(OSError):
        await desk.check(1)
    desk.broken = False
    await desk.checks.undo(f"{1:016x}")
    told, undone = (fields for _, fields in desk.sent)
    assert undone["undo"] == told["seq"] and "undo_boot" not in undone


def test_places_are_exact_and_faults_are_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "places.json"
    path.write_text(json.dumps({"villages": [{"name": "王", "lat": 36.4601234, "lon": 115.979}]}))
    assert load_places(path)["villages"][0]["lat"] == 364601234
    path.write_text('{"points": [{"lat": 1}]}')
    with pytest.raises(ValueError, match=r"places\.json"):
        load_places(path)
