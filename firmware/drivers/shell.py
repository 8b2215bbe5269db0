"""The waiting shell around the pure core: events in, effects carried out, in order.

Also what the lines share (`unit` in line.py): who we are, the topics, births and wills.
"""

import gc

import machine

from body_unit.core import Core
from drivers.config import kept_networks
from drivers.heap import LOG_BYTES
from drivers.ring import Ring
from patrol_contract import ContractError, topics

TORN = b"\x00"  # no SOS has this latch: taken as one that was being raised when the power went


class Shell:
    """identity: see body_unit.events; button: drivers.button.Button; latch: store_latch.Latch."""

    def __init__(self, identity, kept, records, latch, clock, button):
        self.name = identity["unit"]
        self.clock = clock
        self.core = Core(identity, dict(kept.values, latch=latch.value))
        kept.values.pop("plan", None)  # the core has it, until it has read it
        self.lines = []
        self.wake_ms = 0
        self.ring = Ring(LOG_BYTES)
        self._identity = identity
        self._kept = kept
        self._records = records
        self._latch = latch
        self._button = button
        self._groups = ()
        self._events = []
        self._busy = False

    def attach(self, lines, links, gps, modem) -> None:
        """drivers.line.Line for each link, drivers.links.Links, drivers.gps.Receiver, the modem.

        gps and modem may be None: a board without them.
        """
        self.lines = lines
        self._links = links
        self._gps = gps
        self._modem = modem

    # --- events in -------------------------------------------------------------------------
    def post(self, event) -> None:
        """Hand the core an event and do what it says. From within an effect: right after it."""
        self._events.append(event)
        if self._busy:
            return
        self._busy = True
        try:
            while self._events:
                event = self._events.pop(0)
                for effect in self.core.step(self.clock.now_ms(), event):
                    EFFECTS[effect[0]](self, *effect[1:])
        except MemoryError:
            self._starved(event)
        finally:
            self._busy = False

    def _starved(self, event):
        """No memory in the middle of a step: only a reset makes the core whole again.

        An open SOS comes back out of its latch. A hold that has not come so far is latched here.
        """
        gc.collect()
        if event[0] == "hold" and not self.core.unit.charger and not self._latch.value:
            self._latch.write(TORN)
        raise RuntimeError("no memory for " + event[0])

    # --- effects ---------------------------------------------------------------------------
    def _do_latch(self, value):
        if not self._latch.write(value):
            self.log("the SOS latch is full: the value before it stands")

    def _do_publish(self, token, klass, name, fields):
        try:
            stored = self._records.add(token, klass, name, fields)
        except ContractError as fault:
            self.log("not sent: %s" % fault)
            return
        if not stored:
            self.log("flash full: a %s was declared lost" % name)
        for line in self.lines:
            line.pump()

    def _do_drop(self, token):
        self._records.drop(token)

    def _do_birth(self):
        for line in self.lines:
            line.birth()

    def _do_haptic(self, pattern):
        self._button.haptic(pattern)

    def _do_light(self, pattern):
        self._button.light(pattern)

    def _do_discreet(self, on):
        self._button.discreet(on)

    def _do_clock(self, unix_s):
        self.clock.set_unix_s(unix_s)

    def _do_links(self, mode, urgent):
        self._links.mode(mode)
        if urgent:
            for line in self.lines:
                line.urgent()

    def _do_modem(self, how):
        self._links.modem(how)

    def _do_gps(self, mode):
        self._links.still(mode == "still")
        if self._gps is not None:
            self._gps.mode(mode)

    def _do_groups(self, names):
        self._groups = tuple(names)
        for line in self.lines:
            line.subscribe()

    def _do_wifi(self, networks):
        self._kept.set("wifi", kept_networks(networks))
        self._links.networks(networks)

    def _do_sms(self, text):
        if self._modem is None:
            self.post(("sms_sent", False))
        else:
            self._modem.sms(self._identity["sms_to"], text)

    def _do_reboot(self, why):
        self.log("reboot: " + why)
        self._records.commit()
        self.ring.save()
        machine.reset()

    def _do_update(self, url, sha256):
        self.log("update from the air is not in this firmware: flash it by cable")

    def _do_keep(self, key, value):
        if not self._kept.set(key, value):
            self.log("no room to keep %s: it is gone with the power" % key)

    def _do_wake(self, at_ms):
        self.wake_ms = at_ms

    def _do_log(self, text):
        self.log(text)

    def log(self, text):
        """Into the ring. Never a secret."""
        self.ring.add(self.clock.now_ms(), text)

    # --- what the lines share --------------------------------------------------------------
    def next_session(self) -> int:
        """Counts connections over all boots."""
        return self._kept.count("session")

    def state(self, online: bool, session: int, link: str):
        """(topic, payload) of a birth or a will."""
        return self._records.payload("unit_state", self.core.state(online, session, link))

    def filters(self):
        """Topic filters of what is meant for this unit."""
        county, unit = self._identity["county"], self.name
        found = [
            topics.topic("unit_cmd", C=county, U=unit),
            topics.topic("unit_seen", C=county, U=unit),
        ]
        for group in self._groups:
            found.append(topics.topic("group_cmd", C=county, G=group))
            found.append(topics.topic("group_duty", C=county, G=group))
        return found

    def session_up(self, broker, line):
        for other in self.lines:
            other.surrender()
        self.post(("session", broker, True))

    def session_down(self, broker, line, number):
        for other in self.lines:
            if other is not line:
                line.surrender()
                other.renew(number)
                other.pump()
        self.post(("session", broker, False))

    def message(self, topic, payload):
        self.post(("message", topic, payload))

    def puback(self, record):
        token = self._records.done(record)
        if token is not None:
            self.post(("puback", token))


EFFECTS = {
    "latch": Shell._do_latch,
    "publish": Shell._do_publish,
    "drop": Shell._do_drop,
    "birth": Shell._do_birth,
    "haptic": Shell._do_haptic,
    "light": Shell._do_light,
    "discreet": Shell._do_discreet,
    "clock": Shell._do_clock,
    "links": Shell._do_links,
    "modem": Shell._do_modem,
    "gps": Shell._do_gps,
    "groups": Shell._do_groups,
    "wifi": Shell._do_wifi,
    "sms": Shell._do_sms,
    "reboot": Shell._do_reboot,
    "update": Shell._do_update,
    "keep": Shell._do_keep,
    "wake": Shell._do_wake,
    "log": Shell._do_log,
}
