"""Which links are wanted: one of them, all of them, or none."""

import asyncio

OTHER_AFTER_MS = 10_000  # without Wi-Fi for so long: LTE
BACK_AFTER_MS = 30_000  # with Wi-Fi again for so long: no LTE
_POLL_MS = 500


class Links:
    """wifi: drivers.wifi.Wifi; lte: drivers.lte.Lte, or None on a board without a modem."""

    def __init__(self, wifi, lte, clock):
        self._wifi = wifi
        self._lte = lte
        self._clock = clock
        self._mode = "none"
        self._since = 0
        self._wifi_was = False

    def mode(self, mode: str) -> None:
        """none, one (Wi-Fi first, LTE where there is none), all."""
        self._mode = mode
        self._wifi.want(mode != "none")
        if self._lte is not None and mode != "one":
            self._lte.want(mode == "all")

    def networks(self, networks) -> None:
        self._wifi.networks(networks)

    async def run(self):
        while True:
            await asyncio.sleep_ms(_POLL_MS)
            now = self._clock.now_ms()
            if self._wifi.up != self._wifi_was:
                self._wifi_was = self._wifi.up
                self._since = now
            if self._mode == "one" and self._lte is not None:
                if not self._wifi.up and now - self._since >= OTHER_AFTER_MS:
                    self._lte.want(True)
                elif self._wifi.up and now - self._since >= BACK_AFTER_MS:
                    self._lte.want(False)
