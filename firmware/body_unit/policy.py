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

TABLE = {
    ("normal", "volunteer"): Rule(150, 12, 300),
    ("normal", "squad"): Rule(500, 14, 300),
    ("normal", "brigade"): Rule(800, 14, 300),
    ("raised", "volunteer"): Rule(75, 10, 120),
    ("raised", "squad"): Rule(250, 12, 120),
    ("raised", "brigade"): Rule(400, 12, 120),
    ("war", "volunteer"): Rule(30, 8, 30),
    ("war", "squad"): Rule(100, 10, 30),
    ("war", "brigade"): Rule(150, 10, 30),
}


def rule(level, role, battery_step):
    """The Rule in force, or None when nothing is tracked (battery reserve: SOS only).

    A role with another name walks like a volunteer: the finest rule of its level.
    """
    if battery_step in ("reserve", "empty"):
        return None
    row = TABLE.get((level, role)) or TABLE[(level, "volunteer")]
    if battery_step == "low":
        return Rule(row.distance_m * 2, row.bend_m * 2, row.time_s * 2)
    return row


def lines():
    """The table as text, one line per level and role."""
    yield "level   role       distance_m  bend_m  time_s"
    for level in LEVELS:
        for role in ROLES:
            row = TABLE[(level, role)]
            yield "%-7s %-10s %10d  %6d  %6d" % (level, role, row[0], row[1], row[2])


if __name__ == "__main__":
    print("\n".join(lines()))
