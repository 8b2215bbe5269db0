"""What each message says, and one example in inner form (1e-7 degree and 1e-3 units as ints).

Read by MESSAGES.md and by the tests: an example must pass encode and decode unchanged.
"""

_BOOT = "5f3c9a0e11d2b487"
_ENV = {"v": 1, "boot": _BOOT, "seq": 17}
_POINT = {"lat": 312480350, "lon": 1215873800}
_HERE = {"lat": 312480350, "lon": 1215873800, "acc": 6, "age_s": 2, "tst": 1795280401}
_SIGN = {
    "alg": "rsa3072-sha256",
    "kid": "county-1",
    "id": "00c0ffee00c0ffee",
    "iat": 1795280400,
    "exp": 1795280700,
    "sig": "bm90IGEgcmVhbCBzaWduYXR1cmU=",
}
_SOS = "9b1d6ae2f00c4417"


def _with(base, **more):
    out = dict(base)
    out.update(more)
    return out


EXAMPLES = {
    "unit_location": (
        "where the unit was at tst (OwnTracks `location`)",
        _with(
            _ENV,
            _type="location",
            acc=6,
            tst=1795280401,
            vel=4,
            cog=87,
            batt=81,
            tid="23",
            t="t",
            **_POINT,
        ),
    ),
    "unit_transition": (
        "a patrol point entered or left; every enter has its leave (OwnTracks `transition`)",
        _with(
            _ENV,
            _type="transition",
            event="enter",
            desc="村委会",
            acc=8,
            tst=1795280500,
            wtst=1795200000,
            tid="23",
            t="c",
            rid="p-03",
            **_POINT,
        ),
    ),
    "points_waypoint": (
        "a patrol point, for other people's maps (OwnTracks `waypoint`)",
        _with(_ENV, _type="waypoint", desc="村委会", rad=30, tst=1795200000, rid="p-03", **_POINT),
    ),
    "unit_state": (
        "birth, and by its will the end of a connection",
        _with(
            _ENV,
            online=True,
            session=4,
            firmware="0.1.0",
            board="lte",
            reset="power_on",
            clock="gps",
            on_duty=True,
            tst=1795280000,
            member="王建国",
            role="volunteer",
            link="lte",
            has=["charger", "lte", "accelerometer"],
        ),
    ),
    "unit_sos": (
        "somebody needs help; tst, or uptime_ms while the unit has no clock",
        _with(
            _ENV,
            id=_SOS,
            revision=3,
            state="updated",
            kind="button",
            discreet=False,
            since_s=11,
            fix=_HERE,
            batt=64,
            tst=1795280411,
        ),
    ),
    "unit_mark": (
        "a short press: I was here, look here",
        _with(_ENV, fix=_HERE, tst=1795280402),
    ),
    "unit_ack": (
        "what became of a command",
        _with(
            _ENV, id="00c0ffee00c0ffee", cmd="dispatch", state="accepted", fix=_HERE, tst=1795280402
        ),
    ),
    "unit_health": (
        "how the unit itself is",
        _with(
            _ENV,
            tst=1795280500,
            uptime_ms=930000,
            batt=80,
            mv=3921,
            sats=11,
            hdop=9,
            queue=0,
            link="wifi",
            heap_free=51200,
            stall_ms=48,
            resets=1,
            reset="power_on",
        ),
    ),
    "unit_gap": (
        "sequence numbers that will never come, and why",
        _with(_ENV, **{"from": 210, "to": 411, "count": 101, "why": "thinned"}),
    ),
    "unit_cmd": (
        "a signed command to one unit",
        _with(_ENV, cmd="sos_ack", sos=_SOS, to="u-0123", **_SIGN),
    ),
    "unit_seen": (
        "someone at the checkpoint has seen the SOS; unsigned: it is felt, it stops nothing",
        _with(_ENV, sos=_SOS, cp="k-07", going=True, who="李", tst=1795280420),
    ),
    "group_cmd": (
        "a signed command to a squad or a zone",
        _with(_ENV, cmd="rollcall", within_s=60, to="g/z-03", **_SIGN),
    ),
    "group_duty": (
        "duty level 常态 / 加强 / 战时 of a zone; the later `since` wins",
        _with(
            _ENV,
            level="raised",
            since=1795280400,
            until=1795320000,
            to="g/all",
            **{k: v for k, v in _SIGN.items() if k != "exp"},
        ),
    ),
    "cp_state": (
        "birth and will of a checkpoint, and what waits there",
        _with(
            _ENV,
            online=True,
            session=2,
            version="0.1.0",
            name="十里铺卡点",
            tst=1795280000,
            backlog=0,
            oldest_s=0,
            **_POINT,
        ),
    ),
    "cp_sensor": (
        "a reading or an alarm",
        _with(_ENV, kind="supply_voltage", value=12430, unit="V", quality="good", read=1795280400),
    ),
    "cp_dock": (
        "a custody event",
        _with(
            _ENV,
            event="SEALED",
            tst=1795280600,
            docking="77aa00bb11cc22dd",
            camera="CAM001",
            member="000001",
            file="DCAM_CAM001_000001_20260804_100000_IMP.mp4",
            size=1048576,
            sha256="0" * 64,
            entry=12,
            chain="1" * 64,
        ),
    ),
    "cp_check": (
        "a person or vehicle checked, with the shift's running totals",
        _with(
            _ENV,
            what="vehicle",
            outcome="pass",
            plate="鲁P12345",
            tst=1795280700,
            persons=41,
            vehicles=17,
        ),
    ),
    "cp_shift": (
        "who is on duty here, and the answer to a roll call",
        _with(
            _ENV,
            date="2026-11-21",
            on=[{"who": "李", "since": 1795260000}],
            unstaffed=False,
            tst=1795280700,
        ),
    ),
    "cp_gap": (
        "what this checkpoint dropped, of itself or of a unit, from when to when, and why",
        _with(
            _ENV,
            **{
                "from": 1,
                "to": 90,
                "count": 45,
                "why": "thinned",
                "since": 1795200000,
                "until": 1795210000,
                "klass": 2,
            },
        ),
    ),
    "cp_cmd": (
        "a signed command to one checkpoint",
        _with(_ENV, cmd="siren", on=True, to="cp/k-07", **_SIGN),
    ),
    "cp_ack": (
        "what became of a command to the checkpoint",
        _with(_ENV, id="00c0ffee00c0ffee", cmd="siren", state="done", tst=1795280402),
    ),
}
