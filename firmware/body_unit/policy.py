"""When to report a position: distance, bend and time by duty level and role. Pure functions.

`python -m body_unit.policy` prints the table.

A report is due when the unit has gone `distance_m` since the last one, when `time_s` have passed,
or when the way bends: when leaving the present fix for a straight line from the last report would
put some fix in between more than `bend_m` off the line at its time. The bend is what makes few
reports faithful: a straight kilometre needs two of them, a corner needs one at the corner.
"""

from collections import namedtuple

Rule = namedtuple("Rule", "distance_m bend_m time_s")

LEVELS = ("normal", "raised", "war")  # 常态 加强 战时
ROLES = ("volunteer", "squad", "brigade")  # 打更员 walks, 乡镇中队 rides, 县大队 drives

# By level: the Rules of ROLES one after the other (a Rule of each would lie on the heap).
# fmt: off
TABLE = {
    "normal": (150, 12, 300,   500, 14, 300,   800, 14, 300),
    "raised":  (75, 10, 120,   250, 12, 120,   400, 12, 120),
    "war":     (30,  8,  30,   100, 10,  30,   150, 10,  30),
}
# fmt: on


def rule(level, role, battery_step):
    """The Rule in force, or None when nothing is tracked (battery reserve: SOS only).

    A role with another name walks like a volunteer: the finest rule of its level.
    """
    if battery_step in ("reserve", "empty"):
        return None
    at = 3 * ROLES.index(role) if role in ROLES else 0
    distance_m, bend_m, time_s = TABLE[level][at : at + 3]
    times = 2 if battery_step == "low" else 1
    return Rule(distance_m * times, bend_m * times, time_s * times)


def lines():
    """The table as text, one line per level and role."""
    yield "level   role       distance_m  bend_m  time_s"
    for level in LEVELS:
        for at, role in enumerate(ROLES):
            row = (level, role) + TABLE[level][3 * at : 3 * at + 3]
            yield "%-7s %-10s %10d  %6d  %6d" % row


if __name__ == "__main__":
    print("\n".join(lines()))
