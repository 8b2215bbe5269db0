"""Every command of the county as a row: name -> its own fields. A new command is a new row.

The fields around them (who signed, for whom, until when) are SIGNED; signing.py checks those.
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

SIGNED = {
    "alg": Choice("rsa3072-sha256"),
    "kid": Text(32, SLUG),
    "to": Text(40, SLUG + "/"),
    "id": Hex(16),
    "iat": UNIX,
    "exp": UNIX,
    "sig": Text(600),  # base64
}

_POINT = {
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
_CORNER = Record({"lat": LAT, "lon": LON})
_NETWORK = {"ssid": Text(32), "psk?": Text(63, "", 8), "broker?": Text(80)}
HERE = {"lat": LAT, "lon": LON, "desc?": Text(120)}

UNIT_COMMANDS = {
    "sos_ack": {"sos": SOS_ID, "who?": Text(40)},
    "sos_close": {"sos": SOS_ID, "why?": Text(120)},
    "help": {"sos": SOS_ID, "who?": Text(40), "eta_s?": Whole(0, 86400, "s")},
    "assist": dict(HERE, **{"sos": SOS_ID, "who?": Text(40), "discreet?": Flag()}),
    "dispatch": dict(HERE, **{"rad": Whole(5, 5000, "m"), "place?": Choice(*PLACES)}),
    "recall": {},
    "rollcall": {"within_s": Whole(5, 3600, "s")},
    "locate": {},
    "assign": {"member": Text(40), "role": Text(20), "groups": Rows(Text(32, SLUG), 8)},
    "plan": {
        "points": Rows(Record(_POINT), 32),
        "ordered?": Flag(),
        "area?": Rows(_CORNER, 32),
        "checkin_s?": Whole(60, 86400, "s"),
    },
    "discreet": {"on": Flag()},
    "wifi": {"networks": Rows(Record(_NETWORK), 8)},
    "reboot": {},
    "sos_test": {},
    "update": {"url": Text(200), "sha256": SHA256, "version": Text(20)},
}
