"""`network` on a desk: the station of the Wi-Fi. What is in range stands in the world."""

import utime
import world

STA_IF, AP_IF = 0, 1
STAT_IDLE, STAT_CONNECTING, STAT_GOT_IP = 1000, 1001, 1010
STAT_NO_AP_FOUND, STAT_WRONG_PASSWORD = 201, 202
_JOIN_MS = 300  # association and DHCP
_LOOK_MS = 100  # how old the view of the world may be


class WLAN:
    """Station: connect() returns at once; isconnected() comes true when the network is there."""

    PM_NONE, PM_PERFORMANCE, PM_POWERSAVE = 0, 1, 2

    def __init__(self, interface=STA_IF):
        self._active = False
        self._wanted = None
        self._since = 0
        self._seen = 0
        self._range = []

    def active(self, on=None):
        if on is not None:
            self._active = bool(on)
            if not on:
                self._wanted = None
        return self._active

    def config(self, *names, **values):
        return None

    def scan(self):
        return [(row[0].encode(), b"", 1, int(row[2]), 3, False) for row in self._look()]

    def connect(self, ssid, key=None):
        if not self._active:
            raise OSError("Wifi Not Started")
        self._wanted = (ssid, key or "")
        self._since = utime.ticks_ms()

    def disconnect(self):
        self._wanted = None

    def status(self, what=None):
        if what == "rssi":
            for row in self._look():
                if self._wanted and row[0] == self._wanted[0]:
                    return int(row[2])
            raise OSError("not connected")
        if self._wanted is None:
            return STAT_IDLE
        for row in self._look():
            if row[0] == self._wanted[0]:
                if row[1] != self._wanted[1]:
                    return STAT_WRONG_PASSWORD
                joined = utime.ticks_diff(utime.ticks_ms(), self._since) >= _JOIN_MS
                return STAT_GOT_IP if joined else STAT_CONNECTING
        self._since = utime.ticks_ms()  # out of range: it joins anew
        return STAT_NO_AP_FOUND

    def isconnected(self):
        return self.status() == STAT_GOT_IP

    def ifconfig(self):
        return ("127.0.0.1", "255.0.0.0", "0.0.0.0", "127.0.0.1")

    def _look(self):
        now = utime.ticks_ms()
        if not self._range or utime.ticks_diff(now, self._seen) >= _LOOK_MS:
            self._seen = now
            self._range = world.lines("wifi")
        return self._range


def __getattr__(name):
    """PPP only for a unit that has a modem: what stands for silicon shares the unit's heap."""
    if name != "PPP":
        raise AttributeError(name)
    from ppp import PPP

    return PPP
