"""Which links are wanted: one of them, all of them, or none; and how often Wi-Fi is looked for."""

from body_unit.power import LISTEN_S, WIFI_REST_S, WIFI_SCAN_S

OTHER_AFTER_MS = 10_000  # without Wi-Fi for so long: LTE
BACK_AFTER_MS = 30_000  # with Wi-Fi again for so long: no LTE


class Links:
    """wifi: drivers.wifi.Wifi; lte: drivers.lte.Lte, or None on a board without a modem.

    waiting() says how many records wait for their PUBACK.
    """

    def __init__(self, wifi, lte, clock, waiting):
        self._wifi = wifi
        self._lte = lte
        self._clock = clock
        self._waiting = waiting
        self._waited = 0  # when something waited last
        self._rest = "drx"
        self._still = False
        self._mode = "none"
        self._since = 0
        self._wifi_was = False

    def mode(self, mode: str) -> None:
        """none, one (Wi-Fi first, LTE where there is none), all."""
        self._mode = mode
        self._wifi.want(mode != "none")
        if self._lte is not None and mode != "one":
            self._lte.want(mode == "all")

    def modem(self, how: str) -> None:
        """drx; psm, off: LTE only while something waits (power.MODEM)."""
        self._rest = how
        if self._lte is not None:
            self._lte.rest("psm" if how == "psm" else "off")

    def still(self, on: bool) -> None:
        """Nobody moves: no other Wi-Fi comes into range."""
        self._still = on

    def networks(self, networks) -> None:
        self._wifi.networks(networks)

    def step(self) -> None:
        """To be called twice a second or so."""
        now = self._clock.now_ms()
        if self._wifi.up != self._wifi_was:
            self._wifi_was = self._wifi.up
            self._since = now
        self._wifi.every_s = self._look_s()
        if self._mode == "one" and self._lte is not None:
            if not self._wifi.up and now - self._since >= OTHER_AFTER_MS:
                self._lte.want(self._rest == "drx" or self._listens(now))
            elif self._wifi.up and now - self._since >= BACK_AFTER_MS:
                self._lte.want(False)

    def _look_s(self):
        """Seconds between two looks for known Wi-Fi networks; None: not at all."""
        if self._mode == "all" or self._lte is None or self._lte.doing() != "up":
            return WIFI_REST_S
        return None if self._still else WIFI_SCAN_S

    def _listens(self, now):
        if self._waiting():
            self._waited = now
        return now - self._waited < LISTEN_S * 1000
