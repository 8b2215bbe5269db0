"""The county's commands on their way in: decode, limit, verify once, remember, report.

What a command does is not here: `obey` is the core's, and says what became of it. The replay
windows are kept (flash) before a command is obeyed, so a reboot in between loses a command at
worst and never obeys one twice.
"""

from patrol_contract import ContractError, messages, signing, topics

# What of a command is kept while it waits and is verified. RSA takes 5 KB for its numbers, a
# village's plan as much for its fields: never both at once.
HEAD = ("id", "cmd", "kid", "to", "seq", "iat", "exp", "sos")
VERIFY_EVERY_MS = 500  # RSA costs the ESP32 some 0.3 s: a flood must not stop the button's shell
WAITING = 8
# RSA wants memory in pieces of 0.8 KB: where there are none now, there may be in a second.
TRIES = 20


class Orders:
    def __init__(self, core):
        self._core = core
        self._unit, self._duty, self._sos = core.unit, core.duty, core.sos
        self._windows = {}
        for target, top, bits in core.unit.kept_rows("replay", 3):
            self._windows[target] = signing.ReplayWindow(int(top, 16), int(bits, 16))
        self._waiting = []  # (name, who, payload, head)
        self._next_ms = 0
        self.malformed = 0

    def next_ms(self):
        return self._next_ms if self._waiting else None

    def message(self, topic, payload):
        found = topics.parse(topic)
        if found is None:
            return
        name, who = found
        if name not in ("unit_cmd", "group_cmd", "group_duty", "unit_seen"):
            return
        try:
            fields = messages.decode(name, payload)
        except ContractError as fault:
            self.malformed += 1
            self._unit.log("malformed %s: %s" % (name, fault))
            return
        except MemoryError:  # a long plan, and a board without PSRAM: the SOS must live on
            self._unit.log("no memory for a %s of %d bytes" % (name, len(payload)))
            return
        if name == "unit_seen":
            self._sos.seen(fields["sos"], fields["going"])
            return
        head = {}
        for key in HEAD:
            if key in fields:
                head[key] = fields[key]
        fields = None
        self._queue((name, who, payload, head))
        self.tick()

    def _queue(self, order):
        if order[3].get("sos") in self._sos.ids():
            self._waiting.insert(0, order)
        else:
            self._waiting.append(order)
        if len(self._waiting) > WAITING:
            self._unit.log("too many commands at once: one left out")
            self._waiting.pop()

    def tick(self):
        if not self._waiting or self._unit.now_ms < self._next_ms:
            return
        self._next_ms = self._unit.now_ms + VERIFY_EVERY_MS
        order = self._waiting.pop(0)
        name, who, payload, head = order
        try:
            why = self._refusal(payload, head)
        except MemoryError:
            head["tries"] = head.get("tries", 0) + 1
            if head["tries"] < TRIES:
                self._waiting.insert(0, order)
                return
            why = "no memory for it"
        if why is not None:
            self.report(head, "refused", why)
            return
        try:
            self._take(name, who, payload, head)
        except MemoryError:
            self.report(head, "refused", "no memory for it")

    def _refusal(self, payload, head):
        unit = self._unit
        targets = [unit.identity["unit"]]
        for group in self._duty.listens():
            targets.append("g/" + group)
        return signing.refusal(
            payload,
            head,
            unit.identity["keys"],
            targets,
            self._windows,
            unit.unix_s(),
            self._sos.ids(),
        )

    def _take(self, name, who, payload, head):
        """Its signature held."""
        fields = messages.decode(name, payload)
        if name == "group_duty":
            self._level(who["G"], fields)
            return
        self._unit.keep("replay", _pack(self._windows))
        state, why = self._core.obey(fields, payload)
        self.report(head, state, why)

    def _level(self, group, fields):
        """Retained, so it comes again with every session: only news is answered."""
        if fields["to"] != "g/" + group:
            self.report(fields, "refused", "target")
        elif self._duty.set_level(group, fields):
            self._unit.log("duty %s of %s" % (fields["level"], group))

    def report(self, fields, state, why=""):
        """The ack of a command; fields are the command's, or {"id":, "cmd":}."""
        ack = {"id": fields["id"], "state": state}
        if "cmd" in fields:
            ack["cmd"] = fields["cmd"]
        if why:
            ack["why"] = why
        fix = self._unit.fix_record()
        if fix is not None:
            ack["fix"] = fix
        self._unit.publish(1, "unit_ack", self._unit.stamp(ack))


def _pack(windows):
    """{target: ReplayWindow} as text: "target top bits" a line, hexadecimal."""
    rows = []
    for name, window in sorted(windows.items()):
        rows.append("%s %x %x" % ((name,) + window.state()))
    return "\n".join(rows).encode()
