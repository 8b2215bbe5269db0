"""How an open SOS finds a way out: no network is felt, then the other link, then an SMS.

    from the raise     what happens while no county answer has come
    0                  links try at once, without back-off (sos.py)
    2.5 s              no link at all: felt, so that the person knows and may move or shout
    20 s               both links are raised, whatever the first one says
    20 s               no broker has answered on any of them: an SMS with the position
    then               the SMS again 10 s after each refusal; once taken, every 10 min

The county's answer (any valid signature for this SOS) ends all of it.
"""

NO_NETWORK_MS = 2500
OTHER_LINK_MS = 20_000
SMS_RETRY_MS = 10_000  # the modem said no
SMS_PATIENCE_MS = 120_000  # it said nothing
SMS_AGAIN_MS = 600_000


class Reach:
    def __init__(self, unit):
        self._unit = unit
        self._since = None
        self._sms = False
        self._told = False  # "no network" felt
        self._both = False
        self._sms_at = 0

    def begin(self, sms):
        """`sms`: whether an SMS may be written in the end; a test tries only the links."""
        self._sms = sms
        self._since = self._unit.now_ms
        self._told = False
        self._sms_at = self._since + OTHER_LINK_MS

        # A link that was raised beside the first one stays: it may be the one that works.
        self._unit.emit("links", "all" if self._both else "one", True)

    def answered(self):
        self._since = None

    def end(self):
        self._since = None
        self._both = False
        self._unit.emit("links", "one", False)

    def next_ms(self):
        if self._since is None:
            return None
        if not self._told:
            return self._since + NO_NETWORK_MS
        if not self._both:
            return self._since + OTHER_LINK_MS
        return self._sms_at if self._sms and not self._unit.sessions else None

    def other_link(self):
        if not self._both:
            self._both = True
            self._unit.emit("links", "all", True)

    def sms_sent(self, ok):
        if self._since is not None:
            self._sms_at = self._unit.now_ms + (SMS_AGAIN_MS if ok else SMS_RETRY_MS)

    def tick(self, sos_id):
        if self._since is None:
            return
        unit = self._unit
        waited = unit.now_ms - self._since
        if not self._told and waited >= NO_NETWORK_MS:
            self._told = True
            if not unit.links:
                unit.feel_sos("no_network")
        if waited >= OTHER_LINK_MS:
            self.other_link()
            if self._sms and not unit.sessions and unit.now_ms >= self._sms_at:
                self._sms_at = unit.now_ms + SMS_PATIENCE_MS
                unit.emit("sms", sms_text(unit, sos_id))


def degrees(scaled):
    """1e-7 degree as text, exact: -5 -> "-0.0000005"."""
    digits = str(abs(scaled))
    digits = "0" * (8 - len(digits)) + digits
    return ("-" if scaled < 0 else "") + digits[:-7] + "." + digits[-7:]


def sms_text(unit, sos_id):
    """ASCII, at most 160 characters: who, which SOS, where and how old that is, battery."""
    text = "SOS %s %s" % (unit.identity["unit"], sos_id)
    place = unit.place()
    if place is None:
        text += " no position"
    else:
        lat7, lon7, acc_m, unix_s, age_s = place
        text += " %s,%s +-%dm" % (degrees(lat7), degrees(lon7), acc_m)
        if unit.fresh_fix() is None:
            text += " OLD %d" % unix_s if unix_s else " OLD %ds" % age_s
    left = unit.percent()
    return text if left is None else text + " batt %d%%" % left
