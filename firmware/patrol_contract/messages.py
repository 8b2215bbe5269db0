"""encode() and decode(): the only ways on and off the wire, for every row of the contract.

A new message is a new row in rows_unit.py or rows_checkpoint.py. MESSAGES.md is rendered from them.
"""

from patrol_contract import ContractError, exact_json
from patrol_contract.fields import walk

LONGEST = 8192  # bytes of payload; the unit asks for no larger block


def to_wire(name, fields):
    """Check inner fields; return the wire form (Dec for decimals) that exact_json writes."""
    return walk(name.encode(), fields, name, True)


def encode(name, fields):
    """Inner fields -> payload bytes. ContractError names the first field that is wrong."""
    payload = exact_json.dumps(to_wire(name, fields))
    _limit(name, payload)
    return payload


def decode(name, payload):
    """Payload bytes -> inner fields, unknown keys left out; else ContractError."""
    _limit(name, payload)
    return walk(name.encode(), exact_json.loads(payload), name, False)


def _limit(name, payload):
    if len(payload) > LONGEST:
        raise ContractError("%s: %d bytes, over %d" % (name, len(payload), LONGEST))
