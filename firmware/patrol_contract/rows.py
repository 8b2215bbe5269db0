"""Finds rows and lines in the contract's texts; what they say is in kinds.py.

The texts are searched each time: a table of what is in them would be RAM on a unit.
"""

from patrol_contract.commands import UNIT_COMMANDS
from patrol_contract.kinds import KINDS
from patrol_contract.rows_unit import UNIT_ROWS

TEXTS = (KINDS, UNIT_ROWS, UNIT_COMMANDS)
try:  # left out of a unit's image
    from patrol_contract.commands_checkpoint import CHECKPOINT_COMMANDS
    from patrol_contract.rows_checkpoint import CHECKPOINT_ROWS

    TEXTS += (CHECKPOINT_ROWS, CHECKPOINT_COMMANDS)
except ImportError:
    pass


def found(name):
    """(text, where the head goes on behind the name); KeyError where there is no such row."""
    key = b"\n" + name + b": "
    for text in TEXTS:
        at = text.find(key)
        if at >= 0:
            return text, at + len(key)
    raise KeyError(name)


def below(text, at):
    """Where the next line of the row begins, behind its indent; 0 when there is none."""
    at = text.find(b"\n", at) + 1
    return at + 4 if 0 < at < len(text) and text[at] == 0x20 else 0


def word(text, at):
    """The text from there to the next space or the end of the line."""
    end = text.find(b"\n", at)
    space = text.find(b" ", at, end)
    return text[at : end if space < 0 else space]


def line(text, at):
    """All the rest of the line."""
    return text[at : text.find(b"\n", at)].decode()


def heads():
    """(text, where the head begins, where it goes on behind the name) of every row."""
    for text in TEXTS:
        at = 1
        while at:
            yield text, at, text.find(b": ", at) + 2
            at = text.find(b"\n\n", at)
            at = at + 2 if at > 0 else 0
