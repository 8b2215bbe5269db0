"""No cover is felt: two ticks when the last link goes, one when a link is back.

At most one such pair in five minutes: along the edge of cover a link comes and goes.
"""

EVERY_MS = 300_000


class Cover:
    def __init__(self, unit):
        self._unit = unit
        self._told_lost = False
        self._last_ms = -EVERY_MS

    def changed(self, had_links):
        """After unit.links changed; `had_links`: whether any was up before."""
        unit = self._unit
        if had_links and not unit.links and unit.now_ms - self._last_ms >= EVERY_MS:
            self._last_ms = unit.now_ms
            self._told_lost = True
            unit.feel("link_lost")
        elif unit.links and self._told_lost:
            self._told_lost = False
            unit.feel("link_back")
