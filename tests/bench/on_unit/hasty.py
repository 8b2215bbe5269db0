"""main.py for whom a test need not wait: still after seconds, Wi-Fi looked for often.

PATROL_STILL_S, PATROL_SCAN_S: constants of body_unit.power. PATROL_WARN_S: of a pre-alarm.
"""

import os

import machine  # noqa: F401  (the power-on)

from body_unit import power, watch

power.STILL_AFTER_S = int(os.getenv("PATROL_STILL_S") or power.STILL_AFTER_S)
power.WIFI_SCAN_S = int(os.getenv("PATROL_SCAN_S") or power.WIFI_SCAN_S)
watch.PRE_ALARM_MS = int(os.getenv("PATROL_WARN_S") or watch.PRE_ALARM_MS // 1000) * 1000

import main  # noqa: E402, F401
