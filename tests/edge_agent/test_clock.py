"""No time is believed before something trusted says it."""

from __future__ import annotations

from edge_agent.clock import BUILT, Clock

NOW = BUILT + 100_000.0


class World:
    """A Pi that woke up in 1970, and what disciplines it."""

    def __init__(self, wall: float = 50.0) -> None:
        self.wall, self.up, self.synchronised = wall, 1000.0, False
        self.boot = "b" * 32

    def clock(self, rtc: bool = False) -> Clock:
        """As an agent that starts now has it."""
        return Clock(rtc, lambda: self.synchronised, lambda: self.wall, lambda: self.up, self.boot)

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.up += seconds


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


def test_a_clock_that_jumps_while_it_is_set_is_seen_at_once() -> None:
    world = World(NOW)
    clock = world.clock(rtc=True)
    assert clock.stamp([]) is None
    for years in (-10, 10):
        world.wall = NOW + years * 31_557_600
        stamp = clock.stamp([])
        assert stamp is not None and stamp.wall == world.wall, "what it says now is not believed"
        assert clock.now() == NOW, "the battery's word and the monotonic clock hold"
        assert clock.timeline.moved(stamp) == NOW - world.wall
        world.wall = NOW
        assert clock.stamp([]) is None
