"""A thin sweep of the power-cut bench on each build; `make bench-unit` cuts far more often."""

from __future__ import annotations

import os

import pytest

from tests.bench import unit_powercut


@pytest.mark.parametrize("build", ["64", "32"])
def test_every_promise_outlives_a_power_cut(build: str) -> None:
    if not unit_powercut.BUILDS[build].exists() and not os.environ.get("CI"):
        pytest.skip("not built: make micropython32")
    found = unit_powercut.sweep(build, step=97, first=7)
    assert found["points"] >= 35
    assert found["bad"] == []


def test_no_step_erases_two_blocks() -> None:
    found = unit_powercut.micropython(
        "64", "import json, store_erases; print(json.dumps(store_erases.measure()))"
    )
    assert found["whys"] == {"online": [], "thinned": ["thinned"], "full": ["full"]}
    for name in found["whys"]:
        steps = dict(found[name])
        assert steps[1] > 1000, name
        assert max(steps) == 1, name


def test_ten_years_of_wear_and_a_day_offline() -> None:
    store = unit_powercut.micropython("64", unit_powercut.WEAR_SCRIPT)
    assert store["day_5s_kb"] < store["budget_kb"] * 3 / 4  # nothing is thinned within a day
    assert store["wear_percent_10y"] < 50
