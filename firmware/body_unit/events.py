"""The seam between the pure core and the shell: every event in, every effect out.

    core = Core(identity, kept)
    for effect in core.step(now_ms, event): ...

Events and effects are tuples whose first item is a name of the tables below and whose further
items are the columns named there, in that order. `now_ms` is a monotonic count of milliseconds
since boot which never wraps (the shell unwraps the ticks). The shell carries effects out **in
order**: a latch is on flash before the publish behind it is on the air.

The core itself does not import this module; the shell, the tests and the reader do.

Identity (a dict the shell makes once):
    unit "u-0123", county "c371500", boot (16 hex characters drawn at this boot), tid (2 letters),
    firmware, board (text), keys {kid: modulus as bytes}, sms_to (number or ""),
    brokers (their names, the usual one first: whom a Wi-Fi network may lead to),
    floor_s (Unix seconds: no earlier time is believed),
    has ("charger", "accelerometer", "lte", "update": what this board and its shell can, a tuple).
Kept (a dict str -> bytes): what ("keep", key, value) and ("latch", value) stored before the boot;
    the latch under the key "latch". An empty value is as good as an absent one.
"""

# What happened. Units: _ms milliseconds, _s seconds, _mv millivolts.
EVENTS = {
    # First event after Core(). reset_cause: power_on, brownout, watchdog, software, panic,
    # deep_sleep. unix_s: the real-time clock if it ran on over this reset, else None (a stored
    # lower bound is no clock). Then the shell tells the state of charger and battery.
    "boot": ("reset_cause", "unix_s"),
    # Button, as gesture.py tells them. held_since_ms: when the finger went down, core's clock.
    "hold": ("held_since_ms",),
    "press": ("count",),  # 1 or 3 short presses
    "button_fault": ("why",),  # "stuck": held for 60 s on end; "" when it came free again
    # Position: gps.Fix, or the receiver says it has none (which ends the last fix at once).
    "fix": ("fix",),
    "no_fix": (),
    "time": ("unix_s", "source"),  # source: gps, county, rtc
    "charger": ("present",),
    "battery": ("mv",),
    "motion": ("moving",),  # accelerometer: told when it changes
    "stir": (),  # accelerometer: something moved, however little; now and then while it does
    "fall": (),
    "accelerometer": ("alive",),  # told when it falls silent and when it answers again
    "link": ("name", "up"),  # name: wifi, lte. Up: it has an address
    "session": ("broker", "up"),  # CONNACK / lost; broker: its name in the list of brokers
    "puback": ("token",),  # the broker (or checkpoint) answers for this publish
    "refused": ("token", "reason"),  # a reason code >= 0x80, or 0x10 (nobody listens)
    "message": ("topic", "payload"),  # what a subscription brought: str, bytes
    "sms_sent": ("ok",),
    # What only the shell can know, once a minute: a dict with some of unit_health's fields: queue,
    # heap_free, heap_low, stall_ms, error (last exception, one line), rssi, wear, sats, hdop.
    "vitals": ("values",),
    "tick": (),  # the time asked for by the last "wake" has come (or any time earlier)
}

# What to do about it.
EFFECTS = {
    # The open SOS, <= 64 bytes, whole and at once, without a flash erase; b"" clears it.
    "latch": ("value",),
    # Append to the store (boot and seq are stamped there), then send when a session is up.
    # token: int, from 1 in this boot, comes back in "puback". klass: 0 SOS, 1 event, 2 telemetry.
    "publish": ("token", "klass", "name", "fields"),
    # This publish holds nothing that a later one does not: forget it if it is not yet sent, and
    # declare its seq in a gap as "thinned".
    "drop": ("token",),
    # State changed: publish a retained unit_state now if a session is up. Its fields, and those of
    # the will at CONNECT and of the birth after CONNACK, are core.state(online, session, link):
    # session counts connections and is kept over reboots by the shell, link is the one it goes
    # over. Births and wills take seq 0.
    "birth": (),
    "haptic": ("pattern",),  # a row of haptics.PATTERNS
    "light": ("pattern",),  # a row of haptics.LIGHTS
    # True: the player is cleared, the light is off, the hold's ticks are off, at once and until
    # False. The core sends no haptic and no light meanwhile.
    "discreet": ("on",),
    "clock": ("unix_s",),  # set the real-time clock
    # mode: "none"; "one" (known Wi-Fi first, LTE otherwise); "all" (both at once).
    # urgent: forget every back-off, now and once.
    "links": ("mode", "urgent"),
    # Between reports, where no Wi-Fi is; a key of power.MODEM's meaning: "drx" (at first), "psm",
    # "off". During an SOS ("links" all) it does not count.
    "modem": ("how",),
    "gps": ("mode",),  # "off"; "still" (one fix every power.GPS_STILL_S); "full" (1 Hz)
    "groups": ("names",),  # subscribe to these groups' cmd and duty: "all" and those assigned
    # tuple of (ssid, password, broker name): the list to know from now on, over reboots too
    "wifi": ("networks",),
    "sms": ("text",),  # ASCII, <= 160 characters, to identity["sms_to"]
    "reboot": ("why",),
    "update": ("url", "sha256"),
    # Over reboots. key: str <= 15 characters; value: bytes, <= 8192 for "plan", <= 2048 otherwise.
    "keep": ("key", "value"),
    "wake": ("at_ms",),  # send "tick" at this time; replaces the last one
    "log": ("text",),  # into the log ring; never holds a secret
}


def fault(table, item):
    """Why `item` is not a row of `table` (EVENTS or EFFECTS), or None."""
    if not isinstance(item, tuple) or not item:
        return "not a tuple with a name: %r" % (item,)
    if item[0] not in table:
        return "unknown name %r" % (item[0],)
    want = len(table[item[0]])
    if len(item) - 1 != want:
        return "%s takes %d items, not %d" % (item[0], want, len(item) - 1)
    return None
