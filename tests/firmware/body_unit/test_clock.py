"""Who may set the clock, and below what it never runs."""

from body_unit.clock import HELD_MS, Clock

BUILD = 1793491200
NOW = 1795280400


def test_nothing_is_known_at_first():
    assert Clock(BUILD).unix_s(0) is None
    assert Clock(BUILD).source == "none"


def test_it_runs_with_the_milliseconds():
    clock = Clock(BUILD)
    assert clock.offer(NOW, "gps", 5000)
    assert clock.unix_s(5000) == NOW
    assert clock.unix_s(5999) == NOW and clock.unix_s(6000) == NOW + 1
    assert clock.unix_s(0) == NOW - 5
    assert clock.unix_s(5000 + 20 * 86400 * 1000) == NOW + 20 * 86400  # past any wrap of ticks


def test_never_below_the_build():
    clock = Clock(BUILD)
    for early in (0, 935280000, BUILD - 1, NOW - 1024 * 7 * 86400):  # 22 August 1999 among them
        for source in ("gps", "county", "rtc"):
            assert not clock.offer(early, source, 0)
    assert clock.source == "none"
    assert clock.offer(BUILD, "rtc", 0)


def test_never_below_the_time_stored_last():
    clock = Clock(BUILD)
    clock.offer(NOW, "gps", 0)
    clock.stored(NOW + 600)
    clock.stored(NOW)  # an older one does not lower it
    assert not clock.offer(NOW + 599, "gps", 0)
    assert clock.offer(NOW + 700, "gps", 600000)
    assert clock.unix_s(0) == NOW + 600


def test_the_better_source_wins_and_holds():
    clock = Clock(BUILD)
    assert clock.offer(NOW, "rtc", 0)
    assert clock.offer(NOW + 100, "county", 0)
    assert clock.offer(NOW + 200, "gps", 0)
    assert not clock.offer(NOW + 300, "county", 1000)
    assert clock.source == "gps" and clock.unix_s(1000) == NOW + 201
    assert clock.offer(NOW + 9000, "county", HELD_MS)
    assert clock.source == "county"


def test_a_second_more_or_less_is_no_news():
    clock = Clock(BUILD)
    clock.offer(NOW, "gps", 0)
    assert not clock.offer(NOW + 1, "gps", 0) and not clock.offer(NOW - 1, "gps", 0)
    assert clock.unix_s(0) == NOW
    assert clock.offer(NOW - 2, "gps", 0)
    assert clock.unix_s(0) == NOW - 2
