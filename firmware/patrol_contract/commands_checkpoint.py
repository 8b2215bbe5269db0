"""Every command to a checkpoint as a row, as in commands.py. A unit does not carry this file."""

from patrol_contract.commands import PLACES, SHA256, SOS_ID, here
from patrol_contract.fields import Choice, Flag, Hex, Text, Whole

CHECKPOINT_COMMANDS = {
    "rollcall": {"within_s": Whole(5, 3600, "s")},
    "seal_off": {"why": Text(200), "place?": Choice(*PLACES), "on?": Flag()},
    "assist": here(**{"sos": SOS_ID, "who?": Text(40), "discreet?": Flag()}),
    "announce": {"file": Text(60), "times?": Whole(1, 100)},
    "siren": {"on": Flag()},
    "barrier": {"open": Flag()},
    "dock_confirm": {"file": Text(400), "sha256": SHA256, "docking?": Hex(16)},
    "config": {"toml": Text(6000), "sha256": SHA256},
}
