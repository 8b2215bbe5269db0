"""The Wi-Fi station: joins the first known network that is in range, and says so.

No scan: on the ESP32 it blocks for two seconds. The known networks are tried in turn instead.
"""

import asyncio

import network

JOIN_MS = 8000  # association, WPA handshake and DHCP at the edge of range
_POLL_MS = 100
_ABSENT_MS = 600  # a network that is not there is known so soon
_REST_MS = 3000  # between two rounds through the list


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

    def want(self, on: bool) -> None:
        self._wanted = on

    def networks(self, networks) -> None:
        """The list to know from now on; a network that stays in it is kept."""
        self._networks = list(networks)

    def rssi(self):
        """dBm, or None."""
        return self._wlan.status("rssi") if self.up else None

    async def run(self):
        while True:
            if self._wanted:
                self._wlan.active(True)
                for ssid, password, broker in self._networks:
                    if self._wanted and await self._join(ssid, password):
                        await self._stay(ssid, broker)
            if not self._wanted and self._wlan.active():
                self._wlan.active(False)
            await asyncio.sleep_ms(_POLL_MS if not self._wanted else _REST_MS)

    async def _join(self, ssid, password):
        self._wlan.connect(ssid, password)
        for waited in range(0, JOIN_MS, _POLL_MS):
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
