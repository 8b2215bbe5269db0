"""Everything the unit says, on its way to a PUBACK: numbered, stored, sent, forgotten.

A record is (token, text), as the store gives it. The store holds them all; here is only what
several lines must agree on: who sends what next. An SOS goes over every line that is up, anything
else over one; what a line could not finish goes to the next one that asks.
"""

from body_unit.store import Store
from patrol_contract import messages, topics

SOS = 0


class Records:
    def __init__(self, folder: str, boot: str, county: str, unit: str, witness=None):
        """folder: the queue's on flash; witness(boot, seq, name) hears of every record there."""
        self._boot = boot
        self.owed = False  # something is to be written
        self._who = {"C": county, "U": unit}
        self._seq = 0
        self._witness = witness
        self._unwitnessed = []  # (seq, name) of what the store has not `kept` yet
        self._core = {}  # token of an SOS -> the core's token
        self._sos = []  # [record, names of the lines that have sent it]: not yet acknowledged
        self._back = []  # given back by a line that is gone
        self.store = Store(folder, boot, self.declare)

    # --- in ----------------------------------------------------------------------------------
    def stamp(self, name: str, fields: dict):
        """(seq, topic, payload) with the next number of this boot. ContractError: none is used."""
        seq = self._seq + 1
        topic, payload = self.payload(name, fields, seq)
        self._seq = seq
        return seq, topic, payload

    def payload(self, name: str, fields: dict, seq: int = 0):
        """(topic, payload); seq 0 for births and wills, which the session counter orders."""
        stamped = {"v": 1, "boot": self._boot, "seq": seq}
        stamped.update(fields)
        return topics.topic(name, **self._who), messages.encode(name, stamped)

    def add(self, core_token: int, klass: int, name: str, fields: dict) -> bool:
        """Number it and hand it to the store, whose steps write it. False: declared lost."""
        seq, topic, payload = self.stamp(name, fields)
        # An update is in RAM until it is sent: the next one takes its place, and the latch knows.
        update = klass == SOS and fields["state"] == "updated"
        token = self.store.append(klass, seq, topic, payload, update)
        self.owed = True
        if token is None:
            return False
        if klass == SOS:
            self._core[token] = core_token
        self._unwitnessed.append((seq, name))
        return True

    def declare(self, of_boot: str, first: int, last: int, count: int, why: str):
        """For the store: the gap that says what is gone."""
        fields = {"from": first, "to": last, "count": count, "of": of_boot, "why": why}
        seq, topic, payload = self.stamp("unit_gap", fields)
        self._unwitnessed.append((seq, "unit_gap"))
        return seq, topic, payload

    def doing(self) -> str:
        """written, or owed while something is on its way to the flash: for power.SLEEPS_WITH."""
        return "owed" if self.owed or self.store.working() else "written"

    def step(self) -> bool:
        """Write one piece: see the store. False when nothing is owed."""
        more = self.store.step()
        self.tell()
        return more

    def commit(self) -> None:
        """Write all that is owed, at once."""
        self.store.commit()
        self.tell()

    def tell(self) -> None:
        """The witness hears of what outlives a power cut now."""
        while self._unwitnessed and self._unwitnessed[0][0] <= self.store.kept:
            seq, name = self._unwitnessed.pop(0)
            if self._witness is not None:
                self._witness(self._boot, seq, name)

    def drop(self, core_token: int) -> None:
        """A later SOS revision says it all: forget this one unless it is on its way already."""
        for token, core in list(self._core.items()):
            if core == core_token and self.store.drop(token, "superseded"):
                del self._core[token]

    # --- out ---------------------------------------------------------------------------------
    def take(self, line: str, sos_only: bool):
        """The next record for this line, SOS first, or None."""
        for entry in self._sos:
            if line not in entry[1]:
                entry[1].append(line)
                return entry[0]
        if sos_only and not self.sos_waiting():
            return None
        if self._back and (_klass(self._back[0]) == SOS or not self.sos_waiting()):
            return self._back.pop(0)
        record = self.store.take_text()
        if record is None:
            return self._back.pop(0) if self._back else None
        if _klass(record) == SOS:
            self._sos.append([record, [line]])
        return record

    def sos_waiting(self) -> bool:
        """Whether an SOS was appended that no line has taken."""
        lane = self.store.lanes[SOS]
        return lane.waiting() > len(self._sos)

    def sos_open(self) -> bool:
        """Whether an SOS record is not acknowledged yet."""
        return bool(self._sos) or self.sos_waiting()

    def done(self, record):
        """PUBACK: forget it. The core's token if it was an SOS of this boot, else None."""
        token = record[0]
        for entry in self._sos:
            if entry[0][0] == token:
                self._sos.remove(entry)
                break
        self.store.done(token)
        self.owed = True
        return self._core.pop(token, None)

    def give_back(self, line: str, left) -> None:
        """This line will not finish these: [(its own mark, record)]."""
        for _, record in left:
            if _klass(record) == SOS:
                for entry in self._sos:
                    if entry[0][0] == record[0] and line in entry[1]:
                        entry[1].remove(line)
            else:
                self._back.append(record)
        self._back.sort(key=_klass)


def _klass(record):
    return record[0][0]
