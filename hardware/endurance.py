"""Hours per charge, from the data sheets' currents and the firmware's own policy.

    mean current = sum over parts and states of (share of time x current), brought to the cell
                   through the converters on the way (rails.csv)
    hours of patrol = capacity x wear x (100 - reserve) % / mean current
    SOS in reserve  = capacity x wear x (reserve - empty) % / current during an SOS

The shares come from `body_unit.policy.TABLE` and `body_unit.power`, read here, not repeated; the
currents from boards/lte/power.csv; how people move from roles.csv. The cadence is held in the tests
against the firmware's own `track.Track` on a way of corners: the formula counts 1.3 to 1.7 times as
many reports, on the safe side. Two ways of running:

    policy  the CPU sleeps (light sleep) while the unit is still and on LTE, except for fixes and
            reports. While it moves, the receiver talks every second and the CPU stays awake.
    awake   neither CPU nor modem ever sleeps: what holds if sleep proves unusable on the bench.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from body_unit import policy, power, sos
from hardware.tables import BOARDS, HERE, Rail, read_power, read_rails, rows

HOUR_S = 3600
TARGET_H = 12.0
TARGET_LEVEL = "raised"
LEVEL_ZH = {"normal": "常态", "raised": "加强", "war": "战时"}
MODES = ("policy", "awake")

Share = dict[tuple[str, str], float]  # (part, state) -> share of time


@dataclass(frozen=True)
class Role:
    name: str
    chinese: str
    moving: float
    speed_m_s: float
    bends_per_km: float
    wifi: float
    patterns_per_h: float


@dataclass(frozen=True)
class Hours:
    """One cell of the result: a role at a level, run in a mode."""

    role: Role
    level: str
    mode: str
    mean_ma: float
    new_h: float
    worn_h: float  # an aged cell in the cold


def roles() -> list[Role]:
    return [
        Role(
            row["role"],
            row["chinese"],
            float(row["moving_share"]),
            float(row["speed_m_s"]),
            float(row["bends_per_km"]),
            float(row["wifi_share"]),
            float(row["patterns_per_h"]),
        )
        for row in rows(HERE / "roles.csv")
    ]


def assumptions() -> dict[str, float]:
    return {row["name"]: float(row["value"]) for row in rows(BOARDS / "lte" / "assumptions.csv")}


def cell_mv() -> float:
    """Mean cell voltage over the charge that tracking may use: the area under the curve."""
    curve = zip(power.CURVE_MV, power.CURVE_PERCENT, strict=True)
    points = [(mv, left) for mv, left in curve if left >= power.RESERVE_PERCENT]
    area = sum(
        (high_mv + low_mv) / 2 * (high - low)
        for (high_mv, high), (low_mv, low) in itertools.pairwise(points)
    )
    return area / (points[0][1] - points[-1][1])


def volts(rail: Rail, rails: dict[str, Rail], cell: float) -> float:
    """A rail's millivolts off the cradle: the cell and its power path follow the cell."""
    if rail.link == "converter":
        return (rail.min_mv + rail.max_mv) / 2
    return volts(rails[rail.parent], rails, cell) if rail.parent else cell


def at_cell(ma: float, rail: Rail, rails: dict[str, Rail], cell: float) -> float:
    """A rail's current as the cell feels it."""
    while rail.parent:
        parent = rails[rail.parent]
        ma = rail.input_ma(ma, volts(parent, rails, cell), volts(rail, rails, cell))
        rail = parent
    return ma


def reports_per_h(rule: policy.Rule, role: Role) -> tuple[float, float]:
    """Position reports an hour of (moving, still) time by the firmware's rule."""
    every_s = min(rule.time_s, rule.distance_m / role.speed_m_s)
    bends = role.bends_per_km * role.speed_m_s * HOUR_S / 1000
    return HOUR_S / every_s + bends, HOUR_S / rule.time_s


def records_per_h(reports: float) -> float:
    """With health and, where reports are seldom, the pings between them."""
    health = HOUR_S / power.HEALTH_S["normal"]
    pings = max(0.0, HOUR_S / power.PING_S - reports - health)
    return reports + health + pings


def shares(role: Role, level: str, mode: str, assumed: dict[str, float]) -> Share:
    """Which state each part is in for which share of a shift."""
    row = policy.rule(level, role.name, "normal")
    assert row is not None  # the battery step is normal
    moving, still = role.moving, 1 - role.moving
    lte = 1 - role.wifi
    per_h = [records_per_h(reports) for reports in reports_per_h(row, role)]
    records = moving * per_h[0] + still * per_h[1]
    fixing = power.GPS_FIX_S / power.GPS_STILL_S
    sending = min(1.0, records * assumed["burst_s"] / HOUR_S)
    tail = min(1.0 - sending, records * power.LTE_TAIL_S / HOUR_S)
    scanning = moving * lte * assumed["scan_s"] / power.WIFI_SCAN_S
    working = min(1.0, fixing + per_h[1] * power.CPU_AWAKE_MS / 1000 / HOUR_S)
    asleep = still * lte * (1 - working) if mode == "policy" else 0.0
    gps_on = moving + still * fixing
    return {
        ("U1", "wifi_idle"): role.wifi * (1 - sending),
        ("U1", "wifi_tx"): role.wifi * sending,
        ("U1", "light_sleep"): asleep,
        ("U1", "awake"): lte - asleep - scanning,
        ("U1", "scan"): scanning,
        ("U2", "off"): role.wifi,
        ("U2", "transmit"): lte * sending,
        ("U2", "connected"): lte * tail,
        ("U2", "drx" if mode == "policy" else "idle"): lte * (1 - sending - tail),
        ("U3", "on"): gps_on,
        ("U3", "backup"): 1 - gps_on,
        ("M1", "on"): role.patterns_per_h * assumed["pattern_s"] / HOUR_S,
    }


def sos_shares(assumed: dict[str, float]) -> Share:
    """An hour of SOS at its worst: unanswered, both links up, a revision every 5 s, light on."""
    period_s = sos.PACE_MS[sos.OPEN] / 1000
    sending = assumed["burst_s"] / period_s
    return {
        ("U1", "wifi_idle"): 1 - sending,
        ("U1", "wifi_tx"): sending,
        ("U2", "transmit"): sending,
        ("U2", "connected"): 1 - sending,
        ("U3", "on"): 1.0,
        ("M1", "on"): 0.02,
        ("D1", "on"): 0.1,
    }


def mean_ma(share: Share, assumed: dict[str, float]) -> float:
    """Mean current at the cell, the parts that are always on included."""
    rails = read_rails(BOARDS / "lte")
    cell = cell_mv()
    total = share.get(("U1", "scan"), 0) * at_cell(
        assumed["wifi_scan_ma"], rails["3V3"], rails, cell
    )
    known: set[tuple[str, str]] = {("U1", "scan")}
    for draw in read_power(BOARDS / "lte"):
        part = 1.0 if draw.state == "always" else share.get((draw.part, draw.state), 0.0)
        known.add((draw.part, draw.state))
        total += part * at_cell(draw.typical_ma, rails[draw.rail], rails, cell)
    unknown = set(share) - known
    if unknown:
        raise ValueError(f"power.csv has no current for {sorted(unknown)}")
    return total


def hours(role: Role, level: str, mode: str) -> Hours:
    assumed = assumptions()
    current = mean_ma(shares(role, level, mode, assumed), assumed)
    usable = assumed["capacity"] * (100 - power.RESERVE_PERCENT) / 100
    worn = assumed["ageing"] * assumed["cold"]
    return Hours(role, level, mode, current, usable / current, usable * worn / current)


def all_hours() -> list[Hours]:
    return [
        hours(role, level, mode) for level in policy.LEVELS for role in roles() for mode in MODES
    ]


def sos_hours() -> tuple[float, float, float]:
    """During an SOS: (mA at the cell, hours in the reserve of a new cell, of a worn cold one)."""
    assumed = assumptions()
    current = mean_ma(sos_shares(assumed), assumed)
    kept = assumed["capacity"] * (power.RESERVE_PERCENT - power.EMPTY_PERCENT) / 100
    return current, kept / current, kept * assumed["ageing"] * assumed["cold"] / current


def budget_ma() -> float:
    """The mean current at which the target is just met with a worn cell in the cold."""
    assumed = assumptions()
    usable = assumed["capacity"] * (100 - power.RESERVE_PERCENT) / 100
    return usable * assumed["ageing"] * assumed["cold"] / TARGET_H


def least_target_hours() -> Hours:
    """The worst row at the target's duty level."""
    at_level = [item for item in all_hours() if item.level == TARGET_LEVEL]
    return min(at_level, key=lambda item: item.worn_h)
