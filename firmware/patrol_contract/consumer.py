"""The reference county consumer: what any county system must do with these messages.

Pure: feed it what an ordinary MQTT client receives. It decodes, drops repeats by (sender, boot,
seq) with a set of intervals, and accounts: lost = assigned - received - declared in a gap.
"""

from patrol_contract import ContractError, messages, topics
from patrol_contract.catalogue import MESSAGES
from patrol_contract.intervals import Intervals

NEW, REPEAT, MALFORMED, FOREIGN = "new", "repeat", "malformed", "foreign"
STATES = ("unit_state", "cp_state")  # births and wills


class Consumer:
    """Counts and accounts. `senders` maps (sender, boot) -> Intervals received."""

    def __init__(self):
        self.senders = {}
        self.declared = {}  # (sender, boot) -> Intervals declared in gaps
        self.states = {}  # topic -> newest state fields
        self.counts = {NEW: 0, REPEAT: 0, MALFORMED: 0, FOREIGN: 0}

    def feed(self, topic, payload, retained=False):
        """One PUBLISH -> (verdict, name, who, fields). `retained`: the broker's replay of a state.

        name, who and fields are None unless the message could be decoded.
        """
        found = topics.parse(topic)
        if found is None:
            return self._count(FOREIGN), None, None, None
        name, who = found
        try:
            fields = messages.decode(name, payload)
        except ContractError:
            return self._count(MALFORMED), name, who, None
        sender = sender_of(name, who, fields)
        if name in STATES:
            self._newest(topic, fields)
        if sender is None or fields["seq"] == 0:  # the county's own, and wills: not counted
            return NEW, name, who, fields
        seen = self.senders.setdefault((sender, fields["boot"]), Intervals())
        if not seen.add(fields["seq"]):
            return (REPEAT if retained else self._count(REPEAT)), name, who, fields
        if name.endswith("_gap"):
            of = (fields.get("of_sender", sender), fields.get("of", fields["boot"]))
            self.declared.setdefault(of, Intervals()).add_range(fields["from"], fields["to"])
        return self._count(NEW), name, who, fields

    def _count(self, verdict):
        self.counts[verdict] += 1
        return verdict

    def _newest(self, topic, fields):
        """Two routes may deliver births and wills out of order: the session counter decides."""
        old = self.states.get(topic)
        if old is None or old["boot"] != fields["boot"] or old["session"] <= fields["session"]:
            self.states[topic] = fields

    def received(self, sender, boot):
        """How many different records of that boot arrived."""
        seen = self.senders.get((sender, boot))
        return seen.count if seen else 0

    def lost(self, assigned):
        """Numbers never received nor declared, by {(sender, boot): highest assigned, or Intervals}.

        Returns {(sender, boot): [[low, high], …]} with only the senders that lost something.
        """
        out = {}
        for key, given in assigned.items():
            known = Intervals(self.senders[key].pairs if key in self.senders else ())
            for low, high in self.declared[key].pairs if key in self.declared else ():
                known.add_range(low, high)
            if isinstance(given, int):
                holes = known.missing(given)
            else:
                holes = [
                    [s, s]
                    for low, high in given.pairs
                    for s in range(low, high + 1)
                    if s not in known
                ]
            if holes:
                out[key] = holes
        return out


def sender_of(name, who, fields):
    """Who numbered the message: a unit's or a checkpoint's id; None for the county's own."""
    sender = MESSAGES[name].sender
    if sender == "unit":
        return who["U"]
    if sender == "checkpoint":
        return who.get("K") or fields["cp"]  # `seen` goes under the unit's topics
    return None
