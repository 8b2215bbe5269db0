"""What `make bench-duty` must show, with reduced counts; the full ones are the bench's."""

from __future__ import annotations

import pytest

from tests.bench import bench_duty, duty_commands, duty_rounds, duty_track

HOUR_S = 3600


@pytest.fixture(scope="module")
def track() -> dict[str, dict[str, float]]:
    return duty_track.measure(2 * HOUR_S)


@pytest.mark.parametrize("role", ["volunteer", "squad", "brigade"])
def test_at_normal_a_third_of_the_bytes_and_15_m(
    track: dict[str, dict[str, float]], role: str
) -> None:
    way = duty_track.WAYS[role]
    ours, fixed = track[f"normal/{role}/{way}"], track[f"fixed_10s/{way}"]
    assert ours["bytes_per_shift"] * 3 <= fixed["bytes_per_shift"]
    assert ours["p95_error_m"] <= 15


def test_a_higher_level_tells_more(track: dict[str, dict[str, float]]) -> None:
    for role, way in duty_track.WAYS.items():
        cost = [track[f"{level}/{role}/{way}"]["bytes_per_shift"] for level in duty_track.LEVELS]
        assert cost == sorted(cost) and cost[0] < cost[-1]


def test_rounds_find_what_was_walked_and_tell_what_was_not() -> None:
    found = duty_rounds.measure(25, seed=7)
    assert found["generated"] > 100 and found["detected"] == found["generated"]
    assert found["false"] == found["unreported"] == 0
    assert found["missed_reported"] == found["missed"] > 50


def test_every_kind_of_command_is_refused_as_it_should() -> None:
    found = duty_commands.measure()
    assert found["wrong"] == [] and found["tried"] == found["refused_as_should"] >= 100


def test_standing_still_the_core_sleeps() -> None:
    assert bench_duty.core_wakes_per_min(10) <= 3


def test_safe_mode_still_sends_an_sos() -> None:
    assert bench_duty.safe_mode_sos()
