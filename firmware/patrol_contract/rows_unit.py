"""The messages a unit sends or takes: name -> Message(topic, sender, qos, retain, klass, fields).

  topic    C county, U unit, G group; parsed by topics.py
  klass    0 SOS and custody, 1 event, 2 telemetry: what goes first, what may be thinned
  fields   name -> type; "name?" may be absent (fields.py); all also carry the envelope. Made when
           asked for: the types of a message exist while one is written or read
What each says, and an example, is in examples.py, which stays off the unit.
"""

from patrol_contract.commands import (
    LAT,
    LEVELS,
    LON,
    SLUG,
    SOS_ID,
    UNIT_COMMANDS,
    UNIX,
    signed,
)
from patrol_contract.fields import Choice, Decimal, Flag, Hex, Record, Rows, Text, Whole, made


class Message:
    """A row; `fields` is given as a dict, or as a function that makes it."""

    def __init__(self, topic, sender, qos, retain, klass, fields):
        self.topic, self.sender, self.qos, self.retain = topic, sender, qos, retain
        self.klass = klass
        self._fields = fields

    @property
    def fields(self):
        return made(self._fields)

    def having(self, more):
        """The same row with more fields."""
        fields = dict(self.fields, **more)
        return Message(self.topic, self.sender, self.qos, self.retain, self.klass, fields)


BOOT = Hex(16)
SEQ = Whole(1, 1 << 53)
UPTIME = Whole(0, 1 << 53, "ms since boot")
BATTERY = Whole(0, 100, "%")
ID = Text(32, SLUG)
FIX = Record(
    lambda: {
        "lat": LAT,
        "lon": LON,
        "acc": Whole(1, 100000, "m"),
        "age_s": Whole(0, 1 << 31, "s, since the fix"),
        "tst?": UNIX,
        "vel?": Whole(0, 1000, "km/h"),
        "cog?": Whole(0, 359, "degree"),
    }
)


def gaps():
    """The fields of a gap, whoever declares it."""
    return {
        "from": SEQ,
        "to": SEQ,
        "count": Whole(1, 1 << 53),
        "of?": BOOT,  # the boot whose numbers these are; absent: this one
        "why": Choice("full", "thinned", "superseded", "corrupt", "expired", "refused"),
    }


def command(kinds):
    """The fields around a signed command; each kind's own are rows of commands.py."""
    fields = signed()
    fields["cmd"] = Choice(*kinds)
    return fields


def _duty():
    fields = signed()
    del fields["exp"]  # a duty level is ordered by `since`
    fields.update({"level": Choice(*LEVELS), "since": UNIX, "until?": UNIX})
    return fields


UNIT_MESSAGES = {
    "unit_location": Message(
        "owntracks/C/U",
        "unit",
        1,
        False,
        2,
        lambda: {
            "_type": Choice("location"),
            "lat": LAT,
            "lon": LON,
            "acc": Whole(1, 100000, "m, never 0: strict clients drop it"),
            "tst": UNIX,
            "vel?": Whole(0, 1000, "km/h"),
            "cog?": Whole(0, 359, "degree"),
            "batt?": BATTERY,
            "tid?": Text(2),
            "t?": Choice("p", "c", "u", "t", "r"),
            "mark?": Choice("frozen", "jump"),
        },
    ),
    "unit_transition": Message(
        "owntracks/C/U/event",
        "unit",
        1,
        False,
        1,
        lambda: {
            "_type": Choice("transition"),
            "event": Choice("enter", "leave"),
            "desc": Text(60),
            "lat": LAT,
            "lon": LON,
            "acc": Whole(1, 100000, "m"),
            "tst": UNIX,
            "wtst": UNIX,
            "tid?": Text(2),
            "t?": Choice("c", "l"),
            "rid?": ID,
        },
    ),
    "unit_state": Message(
        "patrol/v1/C/U/state",
        "unit",
        1,
        True,
        1,
        lambda: {
            "online": Flag(),
            "session": Whole(0, 1 << 53, "counts connections: the higher one is the later state"),
            "firmware": Text(30),
            "board": Text(30),
            "reset?": Text(30),
            "clock": Choice("none", "stored", "gps", "net"),
            "on_duty": Flag(),
            "tst?": UNIX,
            "uptime_ms?": UPTIME,
            "member?": Text(40),
            "role?": Text(20),
            "safe_mode?": Flag(),
            "link?": Choice("wifi", "lte"),
            "has?": Rows(Text(20, SLUG), 8),
        },
    ),
    "unit_sos": Message(
        "patrol/v1/C/U/sos",
        "unit",
        1,
        False,
        0,
        lambda: {
            "id": SOS_ID,
            "revision": Whole(1, 1 << 31),
            "state": Choice("raised", "updated", "cancelled", "test"),
            "kind": Choice("button", "silent", "fall", "checkin"),
            "discreet": Flag(),
            "since_s?": Whole(0, 1 << 31, "s, since it was raised"),
            "fix?": FIX,
            "batt?": BATTERY,
            "tst?": UNIX,
            "uptime_ms?": UPTIME,
            "note?": Choice("stuck", "resumed", "battery"),
        },
    ),
    "unit_mark": Message(
        "patrol/v1/C/U/mark",
        "unit",
        1,
        False,
        1,
        lambda: {"fix?": FIX, "tst?": UNIX, "uptime_ms?": UPTIME},
    ),
    "unit_ack": Message(
        "patrol/v1/C/U/ack",
        "unit",
        1,
        False,
        1,
        lambda: {
            "id": Hex(16),
            "cmd?": Text(20),
            "state": Choice("received", "accepted", "refused", "onscene", "closed", "answered"),
            "why?": Text(120),
            "fix?": FIX,
            "tst?": UNIX,
            "uptime_ms?": UPTIME,
        },
    ),
    "unit_health": Message(
        "patrol/v1/C/U/health",
        "unit",
        1,
        False,
        2,
        lambda: {
            "tst?": UNIX,
            "uptime_ms": UPTIME,
            "batt?": BATTERY,
            "mv?": Whole(0, 20000, "mV"),
            "sats?": Whole(0, 99),
            "hdop?": Decimal(1, 0, 100),
            "fix_age_s?": Whole(0, 1 << 31, "s"),
            "queue?": Whole(0, 1 << 31, "records"),
            "link?": Choice("wifi", "lte", "none"),
            "rssi?": Whole(-150, 0, "dBm"),
            "heap_free?": Whole(0, 1 << 31, "bytes"),
            "heap_low?": Whole(0, 1 << 31, "bytes, lowest seen"),
            "stall_ms?": Whole(0, 1 << 31, "ms, longest this boot"),
            "resets?": Whole(0, 1 << 31),
            "reset?": Text(30),
            "error?": Text(120),
            "wear?": Whole(0, 1 << 31, "sector erases"),
            "fault?": Text(60),
        },
    ),
    "unit_gap": Message("patrol/v1/C/U/gap", "unit", 1, False, 1, gaps),
    "unit_cmd": Message("patrol/v1/C/U/cmd", "county", 1, False, 1, lambda: command(UNIT_COMMANDS)),
    "unit_seen": Message(
        "patrol/v1/C/U/seen",
        "checkpoint",
        1,
        False,
        1,
        lambda: {"sos": SOS_ID, "cp": ID, "going": Flag(), "who?": Text(40), "tst?": UNIX},
    ),
    "group_cmd": Message(
        "patrol/v1/C/g/G/cmd", "county", 1, False, 1, lambda: command(UNIT_COMMANDS)
    ),
    "group_duty": Message(
        "patrol/v1/C/g/G/duty",
        "county",
        1,
        True,
        1,
        _duty,
    ),
}
