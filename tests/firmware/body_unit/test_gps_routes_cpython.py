"""A short run of the GPS bench on each build; `make bench-unit` runs hours and 10,000 wounds."""

from __future__ import annotations

import os

import pytest

from tests.bench import unit_gps


@pytest.mark.parametrize("build", ["64", "32"])
def test_logs_routes_and_damage(build: str) -> None:
    if not unit_gps.BUILDS[build].exists() and not os.environ.get("CI"):
        pytest.skip("not built: make micropython32")
    found = unit_gps.measure(seconds=300, mutated=600, builds=(build,))
    gps = found["gps"]
    assert gps["matched"] == gps["fixes"] > 900
    assert gps["max_error_m"] <= 0.01
    assert gps["exceptions"] == gps["wrong_accepts"] == gps["wrong_times"] == 0
    assert gps["mutated"] == 600 and gps["wrong_positions"] == 0
    if build == "32":
        assert found["bytes_per_sentence"] <= 2000


def test_a_position_through_a_float_would_be_seen() -> None:
    """The judge itself: shift every fix by what single precision costs, and it must object."""
    case = unit_gps.route_case("walk", 60, 1)
    found = unit_gps.run("64", case.stream)
    for fix in found["fixes"]:
        fix[2] += 38  # 115.48 degree in 32 bits is good to 7.6e-6 degree
    judged = unit_gps.judge(case, found)
    assert judged["wrong_accepts"] == len(found["fixes"]) and judged["matched"] == 0
