"""No time is believed before something trusted says it; then what was taken in before is moved."""

from __future__ import annotations

from edge_agent.clock import BUILT, MARK, Clock, Restamp
from edge_agent.event import Event, Klass
from patrol_contract import messages
from patrol_contract.examples import EXAMPLES

NOW = BUILT + 100_000.0
BOOT = EXAMPLES["cp_sensor"][1]["boot"]


class World:
    """A Pi that woke up in 1970, and what disciplines it."""

    def __init__(self, wall: float = 50.0) -> None:
        self.wall, self.mono, self.synchronised = wall, 1000.0, False

    def clock(self, rtc: bool = False) -> Clock:
        return Clock(rtc, lambda: self.synchronised, lambda: self.wall, lambda: self.mono)

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.mono += seconds


def test_a_fresh_pi_does_not_know_the_time() -> None:
    assert World().clock().now() is None
    assert World(NOW).clock().now() is None, "a plausible time is not a trusted one"
    assert World().clock().source == "none"


def test_gps_and_county_are_believed_until_ntp_is_there() -> None:
    world = World()
    clock = world.clock()
    assert clock.said(NOW - 30, "county")
    world.passes(10)
    assert clock.now() == NOW - 20
    assert clock.said(NOW, "gps") and clock.source == "gps"
    assert not clock.said(NOW + 500, "county"), "the better source stays"
    world.wall, world.synchronised = NOW + 7, True
    assert clock.now() == NOW + 7 and clock.source == "ntp"


def test_the_countys_word_only_moves_on() -> None:
    clock = World().clock()
    assert clock.said(NOW, "county")
    assert not clock.said(NOW - 60, "county"), "an older message that came later"


def test_a_time_before_this_was_built_is_nonsense_whoever_says_it() -> None:
    world = World()
    clock = world.clock()
    assert not clock.said(1.0, "gps")
    world.synchronised = True
    assert clock.now() is None


def test_a_battery_backed_clock_is_believed_where_the_file_says_so() -> None:
    assert World(NOW).clock(rtc=True).now() == NOW
    assert World(50.0).clock(rtc=True).now() is None, "its battery is empty"


def reading(read: float, marked: bool, boot: str = BOOT) -> Event:
    fields = {**EXAMPLES["cp_sensor"][1], "read": int(read), "boot": boot}
    if marked:
        fields["unset_clock"] = True
    payload = messages.encode("cp_sensor", fields)
    return Event("t", payload, Klass.TELEMETRY, "k-07", boot, fields["seq"])


def test_a_reading_taken_without_a_clock_gets_its_time_as_it_leaves() -> None:
    world = World(wall=BUILT - 5_000_000.0)  # a Pi that says what it said when it was switched off
    clock = world.clock()
    restamp = Restamp(clock, BOOT)
    event = reading(world.wall, marked=True)
    assert restamp(event) is event, "still no clock"
    world.passes(600)
    clock.said(NOW, "gps")
    moved = messages.decode("cp_sensor", restamp(event).payload)
    assert moved["read"] == NOW - 600
    assert MARK in restamp(event).payload, "it stays marked"


def test_what_had_a_clock_or_is_of_another_boot_is_left_alone() -> None:
    world = World()
    clock = world.clock()
    clock.said(NOW, "gps")
    restamp = Restamp(clock, BOOT)
    for event in (reading(NOW, marked=False), reading(NOW, marked=True, boot="f" * 16)):
        assert restamp(event) is event
