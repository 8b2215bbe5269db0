"""The Wi-Fi station: joins the first known network that is in range, and says so.

No scan: on the ESP32 it blocks for two seconds. The known networks are tried in turn instead. How
often is power.py's matter (links.py tells); in between, beside LTE, the radio is off.
"""

import asyncio
import time

import network

from body_unit.power import WIFI_REST_S
from drivers.watched import alive

JOIN_MS = 8000  # association, WPA handshake and DHCP at the edge of range
_POLL_MS = 100
_ABSENT_MS = 600  # a network that is not there is known so soon


class Wifi:
    """`up`: there is an address. `broker`: the name that goes with the network joined."""

    name = "wifi"

    def __init__(self, networks, on_change):
        """networks: [(ssid, password, broker)]; on_change(name, up)."""
        self._networks = list(networks)
        self._on_change = on_change
        self._wanted = False
        self._wlan = network.WLAN(network.STA_IF)
        self.up = False
        self.broker = ""
        self.every_s = WIFI_REST_S  # between two rounds through the list; None: no more of them

    def want(self, on: bool) -> None:
        self._wanted = on

    def networks(self, networks) -> None:
        """The list to know from now on; a network that stays in it is kept."""
        self._networks = list(networks)

    def doing(self) -> str:
        """on or off: for power.SLEEPS_WITH."""
        return "on" if self._wlan.active() else "off"

    def rssi(self):
        """dBm, or None."""
        return self._wlan.status("rssi") if self.up else None

    async def run(self):
        ended = None
        while True:
            alive(self.name)
            if self._wanted and self._due(ended):
                self._wlan.active(True)
                for ssid, password, broker in self._networks:
                    if self._wanted and await self._join(ssid, password):
                        await self._stay(ssid, broker)
                ended = time.ticks_ms()
            elif self._wlan.active() and (not self._wanted or self.every_s != WIFI_REST_S):
                self._wlan.active(False)
            if not self._wanted:
                ended = None
            await asyncio.sleep_ms(_POLL_MS)

    def _due(self, ended):
        if ended is None:
            return True
        every_s = self.every_s
        gone = time.ticks_diff(time.ticks_ms(), ended)
        return every_s is not None and gone >= every_s * 1000

    async def _join(self, ssid, password):
        self._wlan.connect(ssid, password)
        for waited in range(0, JOIN_MS, _POLL_MS):
            alive(self.name)
            if self._wlan.isconnected():
                return True
            absent = self._wlan.status() == network.STAT_NO_AP_FOUND
            if not self._wanted or (absent and waited >= _ABSENT_MS):
                break
            await asyncio.sleep_ms(_POLL_MS)
        self._wlan.disconnect()
        return False

    async def _stay(self, ssid, broker):
        self.broker = broker
        self._tell(True)
        while self._wanted and self._wlan.isconnected() and self._knows(ssid):
            alive(self.name)
            await asyncio.sleep_ms(_POLL_MS)
        self._tell(False)
        self._wlan.disconnect()

    def _knows(self, ssid):
        for known, _, broker in self._networks:
            if known == ssid and broker == self.broker:
                return True
        return False

    def _tell(self, up):
        self.up = up
        self._on_change(self.name, up)
