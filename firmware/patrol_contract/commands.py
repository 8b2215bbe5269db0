"""Every command of the county as a row: name -> its own fields. A new command is a new row.

Rows are functions: the types of a command exist while one is read, and take no memory otherwise.
The fields around them (who signed, for whom, until when) are signed(); signing.py checks those.
`to` names the target: a unit's id, `g/<group>` or `cp/<checkpoint>`. `seq` counts up per target.
"""

from patrol_contract.fields import Choice, Decimal, Flag, Hex, Record, Rows, Text, Whole

LAT = Decimal(7, -90, 90, "degree, WGS-84")
LON = Decimal(7, -180, 180, "degree, WGS-84")
UNIX = Whole(946684800, 4102444800, "s, Unix UTC")  # 2000 to 2100
SLUG = "abcdefghijklmnopqrstuvwxyz0123456789-"
SHA256 = Hex(64)
SOS_ID = Hex(16)
LEVELS = ("normal", "raised", "war")  # 常态 / 加强 / 战时
PLACES = ("key", "public", "other")  # response: key site 1 min, public place 3 min


def signed():
    """The fields that stand around every command, and in a duty message."""
    return {
        "alg": Choice("rsa3072-sha256"),
        "kid": Text(32, SLUG),
        "to": Text(40, SLUG + "/"),
        "id": Hex(16),
        "iat": UNIX,
        "exp": UNIX,
        "sig": Text(600),  # base64
    }


def _point():
    return {
        "id": Text(32, SLUG),
        "desc": Text(60),
        "lat": LAT,
        "lon": LON,
        "rad": Whole(5, 5000, "m"),
        "place?": Choice(*PLACES),
        "from?": UNIX,
        "until?": UNIX,
        "rounds?": Whole(1, 50),
        "stay_s?": Whole(0, 7200, "s"),
    }


def _corner():
    return {"lat": LAT, "lon": LON}


def _network():
    return {"ssid": Text(32), "psk?": Text(63, "", 8), "broker?": Text(80)}


def here(**more):
    """A place in words and degrees, and what a command says besides."""
    fields = {"lat": LAT, "lon": LON, "desc?": Text(120)}
    fields.update(more)
    return fields


UNIT_COMMANDS = {
    "sos_ack": lambda: {"sos": SOS_ID, "who?": Text(40)},
    "sos_close": lambda: {"sos": SOS_ID, "why?": Text(120)},
    "help": lambda: {"sos": SOS_ID, "who?": Text(40), "eta_s?": Whole(0, 86400, "s")},
    "assist": lambda: here(**{"sos": SOS_ID, "who?": Text(40), "discreet?": Flag()}),
    "dispatch": lambda: here(**{"rad": Whole(5, 5000, "m"), "place?": Choice(*PLACES)}),
    "recall": lambda: {},
    "rollcall": lambda: {"within_s": Whole(5, 3600, "s")},
    "locate": lambda: {},
    "assign": lambda: {"member": Text(40), "role": Text(20), "groups": Rows(Text(32, SLUG), 8)},
    "plan": lambda: {
        "points": Rows(Record(_point), 32),
        "ordered?": Flag(),
        "area?": Rows(Record(_corner), 32),
        "checkin_s?": Whole(60, 86400, "s"),
    },
    "discreet": lambda: {"on": Flag()},
    "wifi": lambda: {"networks": Rows(Record(_network), 8)},
    "reboot": lambda: {},
    "sos_test": lambda: {},
    "update": lambda: {"url": Text(200), "sha256": SHA256, "version": Text(20)},
}
