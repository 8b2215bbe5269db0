"""Records made before the clock was set: marked, moved once the time is known, never invented."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from edge_agent.event import Event, Stamp
from edge_agent.moments import mapped, times
from edge_agent.reporter import Reporter
from edge_agent.restamp import Restamp
from edge_agent.timeline import BOOTS, Timeline
from patrol_contract import messages
from patrol_contract.catalogue import MESSAGES
from patrol_contract.examples import EXAMPLES
from tests.edge_agent.test_clock import NOW, World

OFF = 5_000_000  # s by which the clock of a Pi is behind that was in a store for two months
OWN = [name for name, row in MESSAGES.items() if row.sender == "checkpoint" and name != "cp_state"]


class Checkpoint:
    """A reporter and what it would send."""

    def __init__(self, world: World, timeline: bytes | None = None) -> None:
        self.clock = world.clock()
        if timeline is not None:
            before = Timeline(timeline)
            self.clock.timeline.runs, self.clock.timeline.boots = before.runs, before.boots
        self.kept: list[Event] = []
        self.reporter = Reporter(
            "c371500", "k-07", self._accept, lambda: world.wall, self.clock.stamp
        )
        self.restamp = Restamp(self.clock.timeline, "k-07")

    async def _accept(self, event: Event) -> None:
        self.kept.append(event)

    async def says(self, name: str, **fields: Any) -> Event:
        row = MESSAGES[name]
        who = {"S": "s", "B": "1", "U": "u-0001"}
        wanted = {key: who[key] for key in who if key in row.topic.split("/")}
        example: Mapping[str, Any] = EXAMPLES[name][1]
        whole = {**example, **fields}
        for key in ("v", "boot", "seq"):
            del whole[key]
        return await self.reporter.report(name, wanted, whole)


def read(event: Event, name: str) -> dict[str, Any]:
    return messages.decode(name, event.payload)


def all_times_at(name: str, at: int) -> dict[str, Any]:
    """The example with every time in it set to `at`."""
    return mapped(name, EXAMPLES[name][1], lambda _: at)


@pytest.mark.parametrize("name", OWN)
async def test_every_record_of_ours_is_marked_then_moved(name: str) -> None:
    world = World(wall=NOW - OFF)
    here = Checkpoint(world)
    event = await here.says(name, **all_times_at(name, int(world.wall)))
    assert read(event, name)["unset_clock"] is True
    assert here.restamp(event) is event, "still no clock: it leaves as it was, marked"
    made = world.up
    world.passes(600)
    here.clock.said(NOW, "gps")
    here.clock.look()
    after = read(here.restamp(event), name)
    assert after["unset_clock"] is True and after["moved_s"] == round(NOW - 600 - (NOW - OFF))
    assert set(times(name, after)) == {NOW - (world.up - made)}
    assert {after[key] for key in ("boot", "seq")} == {event.boot, event.seq}
    later = await here.says(name, **all_times_at(name, int(world.wall)))
    assert later.stamp is not None, "GPS has not set the machine's clock: its times are moved too"
    world.wall, world.synchronised = NOW + 1, True
    world.up += 1
    fresh = await here.says(name, **all_times_at(name, int(world.wall)))
    assert fresh.stamp is None and "unset_clock" not in read(fresh, name)


async def test_a_time_of_before_the_boot_is_not_moved() -> None:
    """Somebody signed on yesterday, with a good clock; the record is of today, without one."""
    world = World(wall=NOW - OFF)
    here = Checkpoint(world)
    signed_on = int(
        NOW - OFF - 50_000
    )  # long before this boot, by the clock that went on from there
    event = await here.says(
        "cp_shift", on=[{"who": "李", "since": signed_on}], began=signed_on,
        date="2026-09-24", tst=int(world.wall),
    )  # fmt: skip
    here.clock.said(NOW, "gps")
    here.clock.look()
    after = read(here.restamp(event), "cp_shift")
    assert (after["tst"], after["on"][0]["since"]) == (NOW, signed_on)
    assert after["date"] == "2026-09-24"


async def test_a_shift_begun_without_a_clock_gets_its_day() -> None:
    world = World(wall=NOW - OFF)
    here = Checkpoint(world)
    wall = int(world.wall)
    event = await here.says("cp_shift", on=[], began=wall, date="2026-09-24", tst=wall)
    here.clock.said(NOW, "gps")
    here.clock.look()
    assert read(here.restamp(event), "cp_shift")["date"] == "2026-11-22"


async def test_a_time_said_later_is_found_by_the_run_it_was_read_in() -> None:
    """A stale reading, or who is on since when: read by the wrong clock, told after it was set."""
    world = World(wall=NOW - OFF)
    here = Checkpoint(world)
    await here.says("cp_sensor", read=int(world.wall))
    world.passes(100)
    here.clock.look()
    world.wall, world.synchronised = NOW, True
    here.clock.look()
    world.passes(50)
    told = await here.says("cp_sensor", quality="stale", read=int(NOW - OFF + 10))
    assert read(told, "cp_sensor")["unset_clock"] is True
    assert read(here.restamp(told), "cp_sensor")["read"] == NOW - 90
    fresh = await here.says("cp_sensor", read=int(world.wall))
    assert fresh.stamp is None


@pytest.mark.parametrize("ahead", [3600, 31_557_600 * 10])
async def test_a_clock_that_ran_ahead_harms_no_later_time(ahead: int) -> None:
    world = World(wall=NOW + ahead)
    here = Checkpoint(world)
    early = await here.says("cp_sensor", read=int(world.wall))
    world.passes(30)
    world.wall, world.synchronised = NOW, True
    here.clock.look()
    assert read(here.restamp(early), "cp_sensor")["read"] == NOW - 30
    world.passes(ahead)  # now the true time is what the wrong clock said once
    fresh = await here.says("cp_sensor", read=int(world.wall))
    assert fresh.stamp is None


async def test_a_restart_in_the_same_boot_still_learns_the_time() -> None:
    world = World(wall=NOW - OFF)
    before = Checkpoint(world)
    event = await before.says("cp_sensor", read=int(world.wall))
    world.passes(1000)
    here = Checkpoint(world, before.clock.timeline.state())
    here.clock.said(NOW, "gps")
    here.clock.look()
    assert read(here.restamp(event), "cp_sensor")["read"] == NOW - 1000


async def test_an_earlier_boot_is_moved_if_it_learned_its_time_and_only_then() -> None:
    world = World(wall=NOW - OFF)
    before = Checkpoint(world)
    event = await before.says("cp_sensor", read=int(world.wall))
    for learned in (False, True):
        if learned:
            before.clock.said(NOW, "gps")
            before.clock.look()
        later = World(wall=NOW + 9999)
        later.boot, later.synchronised = "c" * 32, True
        here = Checkpoint(later, before.clock.timeline.state())
        after = read(here.restamp(event), "cp_sensor")
        assert after["unset_clock"] is True
        assert after.get("moved_s") == (OFF if learned else None)
        assert after["read"] == (NOW if learned else NOW - OFF), "nothing is invented"


async def test_a_better_source_makes_it_better() -> None:
    world = World(wall=NOW - OFF)
    here = Checkpoint(world)
    event = await here.says("cp_sensor", read=int(world.wall))
    here.clock.said(NOW - 40, "county")
    here.clock.look()
    assert read(here.restamp(event), "cp_sensor")["read"] == NOW - 40
    here.clock.said(NOW, "gps")
    here.clock.look()
    assert read(here.restamp(event), "cp_sensor")["read"] == NOW


async def test_a_units_record_passes_unchanged() -> None:
    world = World(wall=NOW - OFF)
    here = Checkpoint(world)
    mine = await here.says("cp_sensor", read=int(world.wall))
    theirs = Event(
        "owntracks/c371500/u-0001", b"whatever", mine.klass, "u-0001", "1" * 16, 7,
        at=world.wall, stamp=here.clock.look(),
    )  # fmt: skip
    here.clock.said(NOW, "gps")
    here.clock.look()
    assert here.restamp(theirs) is theirs
    assert here.restamp.when(theirs) == NOW, "how long it waits is ours to know"


def test_the_timeline_is_bounded_and_comes_back() -> None:
    timeline = Timeline()
    for n in range(3 * BOOTS):
        timeline.unset(Stamp(f"{n:032x}", 10.0, NOW - OFF + n * 10_000))
        timeline.known(f"{n:032x}", 20.0, NOW + n * 10_000, "gps")
    assert len(timeline.runs) == len(timeline.boots) == BOOTS
    again = Timeline(timeline.state())
    assert (again.runs, again.boots) == (timeline.runs, timeline.boots)
