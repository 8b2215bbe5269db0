"""Every message as a row. A new message is a new row in rows_unit.py or rows_checkpoint.py.

encode() and decode() are the only ways on and off the wire. MESSAGES.md is rendered from the rows.
"""

from patrol_contract import ContractError, exact_json
from patrol_contract.commands import UNIT_COMMANDS
from patrol_contract.fields import Whole, made, walk
from patrol_contract.rows_unit import BOOT, SEQ, UNIT_MESSAGES

LONGEST = 8192  # bytes of payload; the unit asks for no larger block

ENVELOPE = {"v": Whole(1, 1), "boot": BOOT, "seq": SEQ}
# A will is written at CONNECT and perhaps never published, so it must not use up a number.
WILL_ENVELOPE = {"v": Whole(1, 1), "boot": BOOT, "seq": Whole(0, 1 << 53, "0 in a will")}
WITH_WILL = ("unit_state", "cp_state")

MESSAGES = dict(UNIT_MESSAGES)
COMMANDS = {"unit_cmd": UNIT_COMMANDS, "group_cmd": UNIT_COMMANDS}
try:  # left out of a unit's image: a third of its contract's memory
    from patrol_contract.commands_checkpoint import CHECKPOINT_COMMANDS
    from patrol_contract.rows_checkpoint import CHECKPOINT_MESSAGES

    MESSAGES.update(CHECKPOINT_MESSAGES)
    COMMANDS["cp_cmd"] = CHECKPOINT_COMMANDS
except ImportError:
    pass


def _with(base, **more):
    out = dict(base)
    out.update(more)
    return out


def _fields_of(name, value):
    fields = MESSAGES[name].fields
    if name in COMMANDS:
        cmd = value.get("cmd")
        own = COMMANDS[name].get(cmd) if isinstance(cmd, str) else None
        if own is None:
            raise ContractError("%s.cmd: %r is no command here" % (name, cmd))
        fields = _with(fields, **made(own))
    return _with(fields, **(WILL_ENVELOPE if name in WITH_WILL else ENVELOPE))


def _rule(name, value):
    """What no single field can say."""
    if name == "unit_sos" and "tst" not in value and "uptime_ms" not in value:
        raise ContractError("unit_sos: neither tst nor uptime_ms")
    if name == "cp_sensor" and value["quality"] == "good":
        if "value" not in value and "text" not in value:
            raise ContractError("cp_sensor: good, but neither value nor text")
        if "read" not in value:
            raise ContractError("cp_sensor: good, but no time of the reading")


def to_wire(name, fields):
    """Check inner fields; return the wire form (Dec for decimals) that exact_json writes."""
    wire = walk(_fields_of(name, fields), fields, name, True)
    _rule(name, fields)
    return wire


def encode(name, fields):
    """Inner fields -> payload bytes. ContractError names the first field that is wrong."""
    payload = exact_json.dumps(to_wire(name, fields))
    if len(payload) > LONGEST:
        raise ContractError("%s: %d bytes, over %d" % (name, len(payload), LONGEST))
    return payload


def decode(name, payload):
    """Payload bytes -> inner fields, unknown keys left out; else ContractError."""
    if len(payload) > LONGEST:
        raise ContractError("%s: %d bytes, over %d" % (name, len(payload), LONGEST))
    value = exact_json.loads(payload)
    if not isinstance(value, dict):
        raise ContractError(name + ": not an object")
    inner = walk(_fields_of(name, value), value, name, False)
    _rule(name, inner)
    return inner
