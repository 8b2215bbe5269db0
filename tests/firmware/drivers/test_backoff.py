"""Pauses and patience, as functions."""

from __future__ import annotations

from drivers import backoff

HIGH = 65535


def test_the_pause_is_spread_over_a_window_that_grows_with_fleet_and_failures() -> None:
    assert backoff.pause_ms(1, 1788, False, 0) == 0
    assert 9900 < backoff.pause_ms(1, 1788, False, HIGH) < 10_000
    assert 19_800 < backoff.pause_ms(2, 1788, False, HIGH) < 20_000
    longest = [backoff.pause_ms(n, 10, False, HIGH) for n in range(1, 40)]
    assert longest == sorted(longest)
    assert longest[-1] < backoff.LONGEST_MS


def test_an_open_sos_tries_again_within_a_second() -> None:
    assert backoff.pause_ms(30, 1788, True, HIGH) < 1000


def test_patience_doubles_with_each_stall_up_to_a_minute() -> None:
    assert [backoff.patience_ms(n) for n in range(6)] == [3500, 7000, 14000, 28000, 56000, 56000]
