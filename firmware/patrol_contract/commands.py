"""Every command of the county to a unit or a group: its own fields, as lines told in kinds.py.

The fields around them (who signed, for whom, until when) are `signed` there; signing.py checks
those. `to` names the target: a unit's id, `g/<group>` or `cp/<checkpoint>`. `seq` counts up per
target.
"""

UNIT_COMMANDS = b"""
unit.sos_ack: command
    sos: Hex(16)
    who?: Text(1,40)

unit.sos_close: command
    sos: Hex(16)
    why?: Text(1,120)

unit.help: command
    sos: Hex(16)
    who?: Text(1,40)
    eta_s?: Whole(0,86400)  s

unit.assist: command
    + here
    sos: Hex(16)
    who?: Text(1,40)
    discreet?: Flag

unit.dispatch: command
    + here
    rad: Whole(5,5000)  m
    place?: One(key,public,other)

unit.recall: command

unit.rollcall: command
    within_s: Whole(5,3600)  s

unit.locate: command

unit.assign: command
    member: Text(1,40)
    role: Text(1,20)
    groups: List(8) of Slug(32)

unit.plan: command
    points: List(32) of point
    ordered?: Flag
    area?: List(32) of corner
    checkin_s?: Whole(60,86400)  s

unit.discreet: command
    on: Flag

unit.wifi: command
    networks: List(8) of network

unit.reboot: command

unit.sos_test: command

unit.update: command
    url: Text(1,200)
    sha256: Hex(64)
    version: Text(1,20)

here: object
    + place
    desc?: Text(1,120)

point: object
    id: Slug(32)
    desc: Text(1,60)
    + place
    rad: Whole(5,5000)  m
    place?: One(key,public,other)
    from?: Unix
    until?: Unix
    rounds?: Whole(1,50)
    stay_s?: Whole(0,7200)  s

corner: object
    + place

network: object
    ssid: Text(1,32)
    psk?: Text(8,63)
    broker?: Text(1,80)
"""
