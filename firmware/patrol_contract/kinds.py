"""How a row is written, and the parts that many rows share.

A message, a command or an object is a head and a line for each field; an empty line ends it:

    unit_mark: patrol/v1/C/U/mark from unit qos 1 klass 1
        + envelope                  all the fields of that row too
        mv: Whole(0,20000)  mV      an integer; behind two spaces its unit, or why it is so
        lat: Decimal(7,-90,90)      so many places; an int inside, here of 1e-7 degree
        tst: Unix                   s, UTC, from 2000 to 2100
        desc: Text(1,60)            so many characters; kid: Text(1,32) of abc only of those
        id: Hex(16)                 exactly so many
        rid: Slug(32)               at most so many of a to z, 0 to 9 and -
        state: One(raised,test)     one of the words
        online: Flag                true or false
        batt?: Whole(0,100)         "?": may be absent
        fix: fix                    an object: small letters name a row
        has: List(8) of Slug(20)    at most so many
        cmd: Command(unit)          the row `unit.<cmd>` has the rest of the fields
        ! tst or uptime_ms          one of these above at least; also: ! read when quality is good

klass: 0 SOS and custody, 1 event, 2 telemetry: what goes first, what may be thinned. A head ends
in `retain` where the broker keeps the newest. Numbers end at 2**31 or at 2**53, beyond which other
people's JSON readers round.

The text is bytes and is read where it lies, each time: on a unit that is flash, and it costs no RAM
(rows.py finds the lines, fields.py obeys them).
"""

KINDS = b"""
envelope: object
    v: Whole(1,1)
    boot: Hex(16)
    seq: Whole(1,9007199254740992)

will: object
    v: Whole(1,1)
    boot: Hex(16)
    seq: Whole(0,9007199254740992)  0 in a will: perhaps never sent, it uses up no number

place: object
    lat: Decimal(7,-90,90)  degree, WGS-84
    lon: Decimal(7,-180,180)  degree, WGS-84

fix: object
    + place
    acc: Whole(1,100000)  m
    age_s: Whole(0,2147483648)  s, since the fix
    tst?: Unix
    vel?: Whole(0,1000)  km/h
    cog?: Whole(0,359)  degree

gap: object
    from: Whole(1,9007199254740992)
    to: Whole(1,9007199254740992)
    count: Whole(1,9007199254740992)
    of?: Hex(16)  the boot whose numbers these are; absent: this one
    why: One(full,thinned,superseded,corrupt,expired,refused)

signed: object
    alg: One(rsa3072-sha256)
    kid: Slug(32)
    to: Text(1,40) of abcdefghijklmnopqrstuvwxyz0123456789-/
    id: Hex(16)
    iat: Unix
    sig: Text(1,600)

unset_clock: object
    unset_clock?: Flag  made before its clock was set: believe its times only with moved_s
    moved_s?: Whole(-9007199254740992,9007199254740992)  s, added to those that clock had said
"""
