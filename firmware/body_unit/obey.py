"""What each verified command does. A new command is a row in `patrol_contract` and one in HOW.

Every row returns the ack: (state, why). Nothing here reboots, updates or changes the network list
while an SOS is open (law: nothing touches a unit during one).
"""

from body_unit.sos import CLOSED

# Obeyed in safe mode too: what saves lives and what repairs.
SAFE = ("sos_ack", "sos_close", "help", "discreet", "reboot", "update", "wifi")


def obey(core, fields, payload):
    """Do what it says; -> (state of the ack, why)."""
    cmd = fields["cmd"]
    if core.health.safe and cmd not in SAFE:
        return "refused", "safe mode"
    if cmd == "plan":  # the only one that is kept as it was signed
        return core.plan(fields, payload)
    return HOW[cmd](core, fields)


def _sos(core, fields):
    if core.sos.signed(fields["cmd"], fields["sos"]):
        return "accepted", ""
    return "refused", "no such SOS open"


def _ask(core, fields):
    if fields["cmd"] == "assist" and fields["sos"] in core.sos.ids():
        return "received", "own SOS"
    core.tasks.ask(fields)
    return "received", ""


def _locate(core, fields):
    if not core.duty.on and not core.sos.is_open():
        return "refused", "off duty"
    fix = core.unit.fresh_fix()
    if fix is not None:
        core.position.report(fix, "locate")
    return "answered", "" if fix else "no fix now"


def _assign(core, fields):
    core.duty.assign(fields)
    return "accepted", ""


def _discreet(core, fields):
    unit = core.unit
    unit.keep("discreet", b"1" if fields["on"] else b"")
    unit.hush("command", fields["on"])
    if fields["on"]:
        core.sos.hushed()
    return "accepted", ""


def _wifi(core, fields):
    """The whole list anew. One that would leave the unit without a way in is refused."""
    unit = core.unit
    if core.sos.state != CLOSED:
        return "refused", "SOS open"
    if not fields["networks"] and "lte" not in unit.identity["has"]:
        return "refused", "the last way in"
    brokers = unit.identity["brokers"]
    networks = []
    for row in fields["networks"]:
        broker = row.get("broker") or brokers[0]
        if broker not in brokers:
            return "refused", "no broker %s here" % broker
        networks.append((row["ssid"], row.get("psk") or "", broker))
    unit.last.append(("wifi", tuple(networks)))
    return "accepted", ""


def _reboot(core, fields):
    if core.sos.state != CLOSED:
        return "refused", "SOS open"
    core.health.reboot("ordered by the county")
    return "accepted", ""


def _update(core, fields):
    if "update" not in core.unit.identity["has"]:
        return "refused", "this unit is updated by cable only"
    if core.sos.state != CLOSED:
        return "refused", "SOS open"
    core.unit.last.append(("update", fields["url"], fields["sha256"]))
    return "accepted", ""


def _sos_test(core, fields):
    if core.sos.state != CLOSED:
        return "refused", "SOS open"
    core.sos.test()
    return "accepted", ""


HOW = {
    "sos_ack": _sos,
    "sos_close": _sos,
    "help": _sos,
    "assist": _ask,
    "dispatch": _ask,
    "recall": _ask,
    "rollcall": _ask,
    "locate": _locate,
    "assign": _assign,
    "discreet": _discreet,
    "wifi": _wifi,
    "reboot": _reboot,
    "sos_test": _sos_test,
    "update": _update,
}
