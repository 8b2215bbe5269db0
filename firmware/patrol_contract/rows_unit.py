"""Every message that a unit sends or takes; what a line says is told in kinds.py.

C county, U unit, G group in topics. What each says, and an example, is in examples.py, which stays
off the unit.
"""

UNIT_ROWS = b"""
unit_location: owntracks/C/U from unit qos 1 klass 2
    + envelope
    _type: One(location)
    + place
    acc: Whole(1,100000)  m, never 0: strict clients drop it
    tst: Unix
    vel?: Whole(0,1000)  km/h
    cog?: Whole(0,359)  degree
    batt?: Whole(0,100)  %
    tid?: Text(1,2)
    t?: One(p,c,u,t,r)
    mark?: One(frozen,jump)

unit_transition: owntracks/C/U/event from unit qos 1 klass 1
    + envelope
    _type: One(transition)
    event: One(enter,leave)
    desc: Text(1,60)
    + place
    acc: Whole(1,100000)  m
    tst: Unix
    wtst: Unix
    tid?: Text(1,2)
    t?: One(c,l)
    rid?: Slug(32)

unit_state: patrol/v1/C/U/state from unit qos 1 klass 1 retain
    + will
    online: Flag
    session: Whole(0,9007199254740992)  counts connections: the higher one is the later state
    firmware: Text(1,30)
    board: Text(1,30)
    reset?: Text(1,30)
    clock: One(none,stored,gps,net)
    on_duty: Flag
    tst?: Unix
    uptime_ms?: Whole(0,9007199254740992)  ms since boot
    member?: Text(1,40)
    role?: Text(1,20)
    safe_mode?: Flag
    link?: One(wifi,lte)
    has?: List(8) of Slug(20)

unit_sos: patrol/v1/C/U/sos from unit qos 1 klass 0
    + envelope
    id: Hex(16)
    revision: Whole(1,2147483648)
    state: One(raised,updated,cancelled,test)
    kind: One(button,silent,fall,checkin)
    discreet: Flag
    since_s?: Whole(0,2147483648)  s, since it was raised
    fix?: fix
    batt?: Whole(0,100)  %
    tst?: Unix
    uptime_ms?: Whole(0,9007199254740992)  ms since boot
    note?: One(stuck,resumed,battery)
    ! tst or uptime_ms

unit_mark: patrol/v1/C/U/mark from unit qos 1 klass 1
    + envelope
    fix?: fix
    tst?: Unix
    uptime_ms?: Whole(0,9007199254740992)  ms since boot

unit_ack: patrol/v1/C/U/ack from unit qos 1 klass 1
    + envelope
    id: Hex(16)
    cmd?: Text(1,20)
    state: One(received,accepted,refused,onscene,closed,answered)
    why?: Text(1,120)
    fix?: fix
    tst?: Unix
    uptime_ms?: Whole(0,9007199254740992)  ms since boot

unit_health: patrol/v1/C/U/health from unit qos 1 klass 2
    + envelope
    tst?: Unix
    uptime_ms: Whole(0,9007199254740992)  ms since boot
    batt?: Whole(0,100)  %
    mv?: Whole(0,20000)  mV
    sats?: Whole(0,99)
    hdop?: Decimal(1,0,100)
    fix_age_s?: Whole(0,2147483648)  s
    queue?: Whole(0,2147483648)  records
    link?: One(wifi,lte,none)
    rssi?: Whole(-150,0)  dBm
    heap_free?: Whole(0,2147483648)  bytes
    heap_low?: Whole(0,2147483648)  bytes, lowest seen
    stall_ms?: Whole(0,2147483648)  ms, longest this boot
    resets?: Whole(0,2147483648)
    reset?: Text(1,30)
    error?: Text(1,120)
    wear?: Whole(0,2147483648)  sector erases
    fault?: Text(1,60)

unit_gap: patrol/v1/C/U/gap from unit qos 1 klass 1
    + envelope
    + gap

unit_cmd: patrol/v1/C/U/cmd from county qos 1 klass 1
    + envelope
    + signed
    exp: Unix
    cmd: Command(unit)

unit_seen: patrol/v1/C/U/seen from checkpoint qos 1 klass 1
    + envelope
    + unset_clock
    sos: Hex(16)
    cp: Slug(32)
    going: Flag
    who?: Text(1,40)
    tst?: Unix

group_cmd: patrol/v1/C/g/G/cmd from county qos 1 klass 1
    + envelope
    + signed
    exp: Unix
    cmd: Command(unit)

group_duty: patrol/v1/C/g/G/duty from county qos 1 klass 1 retain
    + envelope
    + signed
    level: One(normal,raised,war)
    since: Unix  the later one wins: a duty level needs no `exp`
    until?: Unix
"""
