"""`track`: how faithful and how dear the reported track is, per duty level and role.

Error: at every second of the shift, how far the reported track (straight in time between two
reports) is from the full-rate one. Bytes: topic and payload of every location. Both also for a
report every 10 s on the same shift, which is what simple trackers do.
"""

from __future__ import annotations

from unit_rig import NOW, Fix, Rig

from body_unit.policy import LEVELS, ROLES
from body_unit.power import GPS_STILL_S
from patrol_contract import messages, topics
from tests.bench.duty_routes import Second, metres, shift

WAYS = {"volunteer": "walk", "squad": "motorbike", "brigade": "post"}
FIXED_S = 10
Report = tuple[int, tuple[int, int]]  # second of the shift, position


def measure(seconds: int, seed: int = 1) -> dict[str, dict[str, float]]:
    """{"normal/volunteer/walk": {max_error_m, p95_error_m, bytes_per_shift, …}, …}."""
    found: dict[str, dict[str, float]] = {}
    for way in dict.fromkeys(WAYS.values()):
        track = list(shift(way, seconds, seed))
        reports, cost = fixed(track)
        found[f"fixed_{FIXED_S}s/{way}"] = figures(track, reports, cost)
        for level in LEVELS:
            for role in ROLES:
                if way in (WAYS[role], "post"):
                    found[f"{level}/{role}/{way}"] = figures(track, *walked(track, level, role))
    return found


def walked(track: list[Second], level: str, role: str) -> tuple[list[Report], int]:
    """The shift through the whole core: (reports, bytes)."""
    rig = Rig(has=("charger", "accelerometer")).start()
    rig.command("assign", member="m", role=role, groups=[])
    rig.deliver(*rig.county.duty("all", level, NOW), to="g/all")
    rig.do("press", 1)
    start_ms, reports, cost, next_still, moving = rig.now, [], 0, 0, False
    for second in track:
        rig.forget()
        rig.run(start_ms + 1000 * second.at_s - rig.now)
        if rig.core.watch.next_ms() is not None and second.at_s % 600 == 0:
            rig.do("press", 1)  # a sign of life: silence is another bench's matter
        if second.moving != moving:
            moving = second.moving
            rig.do("motion", moving)
        if rig.gps == "full" or (rig.gps == "still" and second.at_s >= next_still):
            next_still = second.at_s + GPS_STILL_S
            lat7, lon7 = second.claimed
            unix_s = rig.core.unit.unix_s(rig.now)
            rig.do(
                "fix",
                Fix(lat7, lon7, 5, second.speed_cms, second.course_deg, unix_s, rig.now, 1),
            )
        if second is track[-1]:
            rig.do("charger", True)
        for fields in rig.said("unit_location"):
            reports.append((fields["tst"] - NOW - start_ms // 1000, (fields["lat"], fields["lon"])))
            cost += size(fields, len(reports))
    return reports, cost


def fixed(track: list[Second]) -> tuple[list[Report], int]:
    reports, cost = [], 0
    for second in [*track[::FIXED_S], track[-1]]:
        reports.append((second.at_s, second.claimed))
        fields = {
            "_type": "location",
            "lat": second.claimed[0],
            "lon": second.claimed[1],
            "acc": 5,
            "tst": NOW + second.at_s,
            "vel": second.speed_cms * 36 // 1000,
            "cog": second.course_deg,
            "batt": 75,
            "tid": "23",
        }
        cost += size(fields, len(reports))
    return reports, cost


def size(fields: dict, seq: int) -> int:
    whole = {"v": 1, "boot": "5f3c9a0e11d2b487", "seq": seq, **fields}
    topic = topics.topic("unit_location", C="c371500", U="u-0123")
    return len(topic) + len(messages.encode("unit_location", whole))


def figures(track: list[Second], reports: list[Report], cost: int) -> dict[str, float]:
    errors, at = [], 0
    for second in track:
        while at + 1 < len(reports) and reports[at + 1][0] <= second.at_s:
            at += 1
        errors.append(metres(second.claimed, between(reports, at, second.at_s)))
    errors.sort()
    return {
        "max_error_m": round(errors[-1], 1),
        "p95_error_m": round(errors[len(errors) * 95 // 100], 1),
        "bytes_per_shift": cost,
        "reports": len(reports),
    }


def between(reports: list[Report], at: int, second: int) -> tuple[float, float]:
    """Where the reported track is at this second: straight in time between two reports."""
    before_s, before = reports[at]
    if at + 1 == len(reports) or second <= before_s:
        return before
    after_s, after = reports[at + 1]
    part = (second - before_s) / (after_s - before_s)
    return before[0] + part * (after[0] - before[0]), before[1] + part * (after[1] - before[1])
