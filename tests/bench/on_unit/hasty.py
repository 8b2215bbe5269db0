"""main.py for whom a test need not wait: standing is still after seconds, Wi-Fi is looked for often.

PATROL_STILL_S, PATROL_SCAN_S: those two constants of body_unit.power.
"""

import os

import machine  # noqa: F401  (the power-on)

from body_unit import power

power.STILL_AFTER_S = int(os.getenv("PATROL_STILL_S") or power.STILL_AFTER_S)
power.WIFI_SCAN_S = int(os.getenv("PATROL_SCAN_S") or power.WIFI_SCAN_S)

import main  # noqa: E402, F401
