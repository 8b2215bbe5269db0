"""Topic <-> (message name, who). The templates stand in the heads of the messages' rows."""

from patrol_contract import ContractError, rows
from patrol_contract.fields import SLUG_CHARS

HOLES = "CUGKSB"
# These stand where a unit's id would: a unit called `cp` would speak for every checkpoint.
RESERVED = ("cp", "g", "points", "all")


def is_id(text):
    """Whether `text` may name a county, unit, group, checkpoint, sensor or bay."""
    return 1 <= len(text) <= 32 and not text.strip(SLUG_CHARS)


def topic(name, **who):
    """topic("unit_sos", C="c371500", U="u-0123") -> "patrol/v1/c371500/u-0123/sos"."""
    out = []
    for level in _template(*rows.found(name.encode())):
        if level in HOLES:
            value = who[level]
            if not is_id(value) or (level == "U" and value in RESERVED):
                raise ContractError("%s: %r cannot stand for %s in a topic" % (name, value, level))
            level = value
        out.append(level)
    return "/".join(out)


def _template(text, at):
    return rows.word(text, at).decode().split("/")


def parse(text):
    """Topic -> (message name, {"C": …, "U": …}), or None where the contract has no such topic."""
    levels = text.split("/")
    for row, start, at in rows.heads():
        template = _template(row, at)
        if len(template) == len(levels):
            who = _fit(template, levels)
            if who:  # every topic says at least whose county it is
                return row[start : at - 2].decode(), who
    return None


def _fit(template, levels):
    who = {}
    for want, got in zip(template, levels):
        if want in HOLES:
            if not is_id(got) or (want == "U" and got in RESERVED):
                return None
            who[want] = got
        elif want != got:
            return None
    return who


def klass_of(name, fields):
    """0 SOS and custody, 1 event, 2 telemetry. A reading that alarms is an event."""
    if name == "cp_sensor" and fields.get("alarm"):
        return 1
    words = rows.line(*rows.found(name.encode())).split()
    return int(words[words.index("klass") + 1])
