"""The messages a checkpoint sends or takes, and the county's points; not on a unit's flash.

Lines as in rows_unit.py; K checkpoint, S sensor, B bay in topics. `unset_clock` is in every record
a checkpoint makes but birth and will: those say in `clock` which clock it has.
"""

# cp_check's outcome: 放行 pass, 登记 register, 纠正 correct, 移交 transfer.
CHECKPOINT_ROWS = b"""
points_waypoint: owntracks/C/points/waypoint from county qos 1 klass 1
    + envelope
    _type: One(waypoint)
    desc: Text(1,60)
    + place
    rad: Whole(1,5000)  m
    tst: Unix
    rid?: Slug(32)
    place?: One(key,public,other)

cp_state: patrol/v1/C/cp/K/state from checkpoint qos 1 klass 1 retain
    + will
    online: Flag
    session: Whole(0,9007199254740992)
    version: Text(1,30)
    name?: Text(1,40)
    tst?: Unix
    backlog?: Whole(0,9007199254740992)  records
    backlog_bytes?: Whole(0,9007199254740992)  bytes
    oldest_s?: Whole(0,2147483648)  s, age of the oldest unsent
    quarantined?: Whole(0,9007199254740992)  malformed payloads
    clock?: One(none,ntp,gps,rtc,county)
    lat?: Decimal(7,-90,90)  degree, WGS-84
    lon?: Decimal(7,-180,180)  degree, WGS-84

cp_sensor: patrol/v1/C/cp/K/sensor/S from checkpoint qos 1 klass 2
    + envelope
    + unset_clock
    kind: Text(1,30)
    value?: Decimal(3,-1000000000000,1000000000000)
    text?: Text(1,200)
    unit?: Text(1,16)
    quality: One(good,stale,fault)
    read?: Unix  of the reading, never of the report; absent: it has never answered
    alarm?: One(low,high,on,fault)
    why?: Text(1,120)
    ! value or text when quality is good
    ! read when quality is good

cp_dock: patrol/v1/C/cp/K/dock/B from checkpoint qos 1 klass 0
    + envelope
    + unset_clock
    event: Text(1,20) of ABCDEFGHIJKLMNOPQRSTUVWXYZ_
    tst: Unix
    docking?: Hex(16)
    camera?: Text(1,60)
    member?: Text(1,40)
    file?: Text(1,400)
    size?: Whole(0,9007199254740992)  bytes
    sha256?: Hex(64)
    sm3?: Hex(64)
    files?: Whole(0,2147483648)
    bytes?: Whole(0,9007199254740992)  bytes
    offset_s?: Whole(-2147483648,2147483648)  s, camera clock minus ours
    entry: Whole(1,9007199254740992)  row of the custody journal
    chain: Hex(64)  the journal's head after this row
    why?: Text(1,200)

cp_check: patrol/v1/C/cp/K/check from checkpoint qos 1 klass 1
    + envelope
    + unset_clock
    what: One(person,vehicle)
    outcome: One(pass,register,correct,transfer)
    plate?: Text(1,12)
    operation?: Text(1,32)
    undo?: Whole(1,9007199254740992)  takes back the check of that number
    undo_boot?: Hex(16)  in that boot; absent: in this one
    who?: Text(1,40)
    tst: Unix
    persons: Whole(0,2147483648)
    vehicles: Whole(0,2147483648)

cp_shift: patrol/v1/C/cp/K/shift from checkpoint qos 1 klass 1 retain
    + envelope
    + unset_clock
    date: Text(1,10) of 0123456789-  the day the shift began, UTC+8
    began?: Unix
    on: List(20) of person
    unstaffed: Flag
    tst: Unix
    rollcall?: Hex(16)

person: object
    who: Text(1,40)
    since: Unix

cp_gap: patrol/v1/C/cp/K/gap from checkpoint qos 1 klass 1
    + envelope
    + unset_clock
    + gap
    of_sender?: Slug(32)
    since?: Unix
    until?: Unix
    klass?: Whole(0,2)

cp_cmd: patrol/v1/C/cp/K/cmd from county qos 1 klass 1
    + envelope
    + signed
    exp: Unix
    cmd: Command(checkpoint)

cp_ack: patrol/v1/C/cp/K/ack from checkpoint qos 1 klass 1
    + envelope
    + unset_clock
    id: Hex(16)
    cmd?: Text(1,20)
    state: One(received,done,refused,answered)
    why?: Text(1,200)
    who?: Text(1,40)
    tst?: Unix
"""
