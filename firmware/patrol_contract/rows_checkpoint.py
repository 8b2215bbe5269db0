"""The messages a checkpoint sends or takes, and the county's points; not on a unit's flash.

Rows as in rows_unit.py; K checkpoint, S sensor, B bay in topics.
"""

from patrol_contract.commands import LAT, LON, PLACES, SHA256, UNIX
from patrol_contract.commands_checkpoint import CHECKPOINT_COMMANDS
from patrol_contract.fields import Choice, Decimal, Flag, Hex, Record, Rows, Text, Whole
from patrol_contract.rows_unit import BOOT, ID, SEQ, UNIT_MESSAGES, Message, command, gaps

# In every record a checkpoint makes but birth and will (those say in `clock` which clock it has).
# unset_clock: made before its clock was set. Then moved_s was added to the times that clock said,
# as soon as the monotonic clock told how wrong it was; without moved_s they are not to be believed.
UNSET = {
    "unset_clock?": Flag(),
    "moved_s?": Whole(-(1 << 53), 1 << 53, "s, added to its times once the clock was known"),
}

CHECKPOINT_MESSAGES = {
    "points_waypoint": Message(
        "owntracks/C/points/waypoint",
        "county",
        1,
        False,
        1,
        {
            "_type": Choice("waypoint"),
            "desc": Text(60),
            "lat": LAT,
            "lon": LON,
            "rad": Whole(1, 5000, "m"),
            "tst": UNIX,
            "rid?": ID,
            "place?": Choice(*PLACES),
        },
    ),
    "cp_state": Message(
        "patrol/v1/C/cp/K/state",
        "checkpoint",
        1,
        True,
        1,
        {
            "online": Flag(),
            "session": Whole(0, 1 << 53),
            "version": Text(30),
            "name?": Text(40),
            "tst?": UNIX,
            "backlog?": Whole(0, 1 << 53, "records"),
            "backlog_bytes?": Whole(0, 1 << 53, "bytes"),
            "oldest_s?": Whole(0, 1 << 31, "s, age of the oldest unsent"),
            "quarantined?": Whole(0, 1 << 53, "malformed payloads"),
            "clock?": Choice("none", "ntp", "gps", "rtc", "county"),
            "lat?": LAT,
            "lon?": LON,
        },
    ),
    "cp_sensor": Message(
        "patrol/v1/C/cp/K/sensor/S",
        "checkpoint",
        1,
        False,
        2,
        {
            "kind": Text(30),
            "value?": Decimal(3, -(10**12), 10**12),
            "text?": Text(200),
            "unit?": Text(16),
            "quality": Choice("good", "stale", "fault"),
            "read?": UNIX,  # of the reading, never of the report; absent: it has never answered
            "alarm?": Choice("low", "high", "on", "fault"),
            "why?": Text(120),
        },
    ),
    "cp_dock": Message(
        "patrol/v1/C/cp/K/dock/B",
        "checkpoint",
        1,
        False,
        0,
        {
            "event": Text(20, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"),  # a state or fault of the dock
            "tst": UNIX,
            "docking?": Hex(16),
            "camera?": Text(60),
            "member?": Text(40),
            "file?": Text(400),
            "size?": Whole(0, 1 << 53, "bytes"),
            "sha256?": SHA256,
            "sm3?": Hex(64),
            "files?": Whole(0, 1 << 31),
            "bytes?": Whole(0, 1 << 53, "bytes"),
            "offset_s?": Whole(-(1 << 31), 1 << 31, "s, camera clock minus ours"),
            "entry": Whole(1, 1 << 53, "row of the custody journal"),
            "chain": SHA256,  # its head after this row
            "why?": Text(200),
        },
    ),
    "cp_check": Message(
        "patrol/v1/C/cp/K/check",
        "checkpoint",
        1,
        False,
        1,
        {
            "what": Choice("person", "vehicle"),
            "outcome": Choice("pass", "register", "correct", "transfer"),  # 放行 登记 纠正 移交
            "plate?": Text(12),
            "operation?": Text(32),
            "undo?": SEQ,  # takes back the check of that number …
            "undo_boot?": BOOT,  # … in that boot; absent: in this one
            "who?": Text(40),
            "tst": UNIX,
            "persons": Whole(0, 1 << 31),
            "vehicles": Whole(0, 1 << 31),
        },
    ),
    "cp_shift": Message(
        "patrol/v1/C/cp/K/shift",
        "checkpoint",
        1,
        True,
        1,
        {
            "date": Text(10, "0123456789-"),  # the day the shift began, UTC+8
            "began?": UNIX,
            "on": Rows(Record({"who": Text(40), "since": UNIX}), 20),
            "unstaffed": Flag(),
            "tst": UNIX,
            "rollcall?": Hex(16),
        },
    ),
    "cp_gap": Message(
        "patrol/v1/C/cp/K/gap",
        "checkpoint",
        1,
        False,
        1,
        dict(gaps(), **{"of_sender?": ID, "since?": UNIX, "until?": UNIX, "klass?": Whole(0, 2)}),
    ),
    "cp_cmd": Message("patrol/v1/C/cp/K/cmd", "county", 1, False, 1, command(CHECKPOINT_COMMANDS)),
    "cp_ack": Message(
        "patrol/v1/C/cp/K/ack",
        "checkpoint",
        1,
        False,
        1,
        {
            "id": Hex(16),
            "cmd?": Text(20),
            "state": Choice("received", "done", "refused", "answered"),
            "why?": Text(200),
            "who?": Text(40),
            "tst?": UNIX,
        },
    ),
}

CHECKPOINT_MESSAGES["unit_seen"] = UNIT_MESSAGES["unit_seen"]  # a checkpoint's, on a unit's topic
for _name, _row in CHECKPOINT_MESSAGES.items():
    if _row.sender == "checkpoint" and _name != "cp_state":
        CHECKPOINT_MESSAGES[_name] = _row.having(UNSET)
