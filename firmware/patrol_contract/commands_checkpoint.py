"""Every command to a checkpoint, as in commands.py. A unit does not carry this file."""

CHECKPOINT_COMMANDS = b"""
checkpoint.rollcall: command
    within_s: Whole(5,3600)  s

checkpoint.seal_off: command
    why: Text(1,200)
    place?: One(key,public,other)
    on?: Flag

checkpoint.assist: command
    + here
    sos: Hex(16)
    who?: Text(1,40)
    discreet?: Flag

checkpoint.announce: command
    file: Text(1,60)
    times?: Whole(1,100)

checkpoint.siren: command
    on: Flag

checkpoint.barrier: command
    open: Flag

checkpoint.dock_confirm: command
    file: Text(1,400)
    sha256: Hex(64)
    docking?: Hex(16)

checkpoint.config: command
    toml: Text(1,6000)
    sha256: Hex(64)
"""
