"""The contract as objects, for whoever has room: the agent, the county's tools, the documents.

A unit has no such table: it reads its rows when it needs them.
"""

from collections import namedtuple

from patrol_contract import rows

Message = namedtuple("Message", ("topic", "sender", "qos", "klass", "retain"))


def _message(head):
    """Of `owntracks/C/U from unit qos 1 klass 2`."""
    words = head.split()
    return Message(words[0], words[2], int(words[4]), int(words[6]), "retain" in words)


HEADS = {text[start : at - 2].decode(): rows.line(text, at) for text, start, at in rows.heads()}
MESSAGES = {name: _message(head) for name, head in HEADS.items() if "/" in head}


def commands(whose):
    """The names of the commands to a `unit` or a `checkpoint`."""
    start = whose + "."
    return [name[len(start) :] for name in HEADS if name.startswith(start)]


def lines(name):
    """[key, kind, note] of each line; the lines of a row that is taken in stand in its place.

    A key ends in "?" where the field may be absent, and is "!" for a rule, which is then the kind.
    """
    text, at = rows.found(name.encode())
    at = rows.below(text, at)
    while at:
        line = rows.line(text, at)
        if line.startswith("+ "):
            yield from lines(line[2:])
        elif line.startswith("! "):
            yield ["!", line[2:], ""]
        else:
            key, rest = line.split(": ", 1)
            kind, _, note = rest.partition("  ")
            yield [key, kind, note]
        at = rows.below(text, at)


def present(name, value):
    """(dict, key, kind) of every field that stands in the inner form `value`, at any depth."""
    for key, kind, _ in lines(name):
        key = key.rstrip("?")
        given = value.get(key)
        if given is None:
            continue
        yield value, key, kind
        if kind.startswith("Command("):
            yield from present(kind[8:-1] + "." + given, value)
        inner = kind.split(" of ")[-1]
        if HEADS.get(inner) == "object":
            for each in [given] if inner == kind else given:
                yield from present(inner, each)
