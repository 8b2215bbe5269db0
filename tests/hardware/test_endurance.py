"""Hours per charge: the target holds, and the model follows the firmware and the tables."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import replace
from itertools import product

import pytest

from body_unit import policy, power
from body_unit.track import Track
from hardware import endurance
from hardware.tables import Rail

# As body_unit.gps.Fix, which needs the unit's own environment to import.
Fix = namedtuple("Fix", "lat7 lon7 acc_m speed_cms course_deg unix_s at_ms quality")


def role(name: str) -> endurance.Role:
    return next(item for item in endurance.roles() if item.name == name)


def test_twelve_hours_at_raised_duty_in_the_worst_case():
    """Worn cell, cold, CPU and modem never asleep, every role; the reserve is not in it."""
    assert endurance.least_target_hours().worn_h >= endurance.TARGET_H


def test_reserve_carries_one_hour_of_sos():
    _, _, worn_h = endurance.sos_hours()
    assert worn_h * 3600 >= power.SOS_RESERVE_S


def test_every_role_and_level_of_the_firmware_is_computed():
    found = {(item.level, item.role.name) for item in endurance.all_hours()}
    assert found == set(product(policy.LEVELS, policy.ROLES))


def test_a_hungrier_policy_shortens_the_hours(monkeypatch):
    """The constants are read, not repeated."""
    walker = role("volunteer")
    before = endurance.hours(walker, "raised", "policy")
    monkeypatch.setitem(policy.TABLE, "raised", (10, 10, 10) * len(policy.ROLES))
    after = endurance.hours(walker, "raised", "policy")
    assert after.worn_h < before.worn_h * 0.8
    monkeypatch.setattr(power, "RESERVE_PERCENT", 60)
    assert endurance.hours(walker, "raised", "policy").new_h < after.new_h * 0.5


def test_reports_by_distance_time_and_bend():
    walker = replace(role("volunteer"), speed_m_s=1.0, bends_per_km=10)
    moving, still = endurance.reports_per_h(policy.Rule(100, 10, 600), walker)
    assert moving == pytest.approx(36 + 36)  # every 100 s by distance, and 10 bends a km
    assert still == pytest.approx(6)
    moving, _ = endurance.reports_per_h(policy.Rule(5000, 10, 60), walker)
    assert moving == pytest.approx(60 + 36)  # the time comes first


def walked_reports(item: endurance.Role, rule: policy.Rule) -> int:
    """Reports of the firmware's own Track in an hour of this role's way, one fix a second.

    Streets at right angles: a corner every 1000 / bends metres, left and right in turn.
    """
    track, east, north, reports = Track(), 0.0, 0.0, 0
    block_m = 1000 / item.bends_per_km
    for second in range(3600):
        eastward = int(second * item.speed_m_s / block_m) % 2 == 0
        east += item.speed_m_s * eastward
        north += item.speed_m_s * (not eastward)
        lat7, lon7 = round(north * 89.83), round(east * 89.83)  # 1e-7 degree at the equator
        speed = round(item.speed_m_s * 100)
        reports += track.feed(rule, Fix(lat7, lon7, 3, speed, 0, 1, second * 1000, 1)) is not None
    return reports


@pytest.mark.parametrize(("level", "name"), list(product(policy.LEVELS, policy.ROLES)))
def test_the_models_cadence_is_that_of_the_firmwares_track(level, name):
    """The formula may count more than the real Track sends (a corner restarts the distance),
    never much less: the hours stay on the safe side."""
    item, rule = role(name), policy.rule(level, name, "normal")
    assert rule is not None
    moving, _ = endurance.reports_per_h(rule, item)
    real = walked_reports(item, rule)
    assert 0.9 * real <= moving <= 2.5 * real, (real, moving)


def test_pings_fill_the_silence():
    health = 3600 / power.HEALTH_S["normal"]
    pings = 3600 / power.PING_S
    assert endurance.records_per_h(0) == pytest.approx(pings)
    assert endurance.records_per_h(1000) == pytest.approx(1000 + health)


def test_shares_of_each_part_are_whole():
    for item in endurance.roles():
        for level in policy.LEVELS:
            for mode in endurance.MODES:
                share = endurance.shares(item, level, mode, endurance.assumptions())
                for part in ("U1", "U2", "U3"):
                    total = sum(value for (name, _), value in share.items() if name == part)
                    assert total == pytest.approx(1), (item.name, level, mode, part)
                assert min(share.values()) >= 0


def test_current_is_brought_to_the_cell():
    rails = {
        "VBAT": Rail("VBAT", "", 3000, 4200, 1, "", "", 1.0),
        "SYS": Rail("SYS", "", 3000, 4400, 1, "VBAT", "path", 1.0),
        "OUT": Rail("OUT", "", 3800, 3800, 1, "SYS", "converter", 0.5),
    }
    # 10 mA at 3.8 V from a 3.8 V cell at half efficiency.
    assert endurance.at_cell(10, rails["OUT"], rails, 3800) == pytest.approx(20)
    assert endurance.at_cell(10, rails["SYS"], rails, 3800) == 10
    assert endurance.at_cell(10, rails["VBAT"], rails, 3800) == 10


def test_mean_cell_voltage_lies_in_the_curve():
    assert power.CURVE_MV[-1] < endurance.cell_mv() < power.CURVE_MV[0]


def test_a_state_without_a_current_is_refused():
    with pytest.raises(ValueError, match="no current for"):
        endurance.mean_ma({("U1", "dreaming"): 1.0}, endurance.assumptions())
