"""main.py of whose tasks one (PATROL_HANGS: its name for the watchdog) never comes back.

The one that feeds the watchdog is not among them.
"""

import machine  # noqa: F401  (first: on a desk this is the power-on)

# isort: split
import asyncio
import os

from drivers import care, gps, line, links, lte, wifi

CLASSES = {
    "gps": gps.Receiver,
    "wifi": wifi.Wifi,
    "lte": lte.Lte,
    "line wifi": line.Line,
}


async def hang(self):
    await asyncio.Event().wait()


hangs = CLASSES.get(os.getenv("PATROL_HANGS") or "")
care.BITES_MS = 8000
links.OTHER_AFTER_MS = 1000
links.WIFI_SCAN_S = 3
if hangs is not None:
    care.BITES_MS = 2000  # a test does not wait for half a minute
    hangs.run = hang
import main  # noqa: E402, F401
