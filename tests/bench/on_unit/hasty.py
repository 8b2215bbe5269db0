"""main.py for whom a test need not wait: the environment shortens what takes its time.

PATROL_STILL_S  until standing is still      PATROL_SCAN_S  between two looks for Wi-Fi on LTE
PATROL_LTE_S    without Wi-Fi until LTE      PATROL_NAP_S   the longest light sleep
PATROL_WARN_S   of a pre-alarm
"""

import os

import machine  # noqa: F401  (the power-on)

from body_unit import power, watch
from drivers import links


def seconds(name, usual):
    return int(os.getenv(name) or usual)


power.STILL_AFTER_S = seconds("PATROL_STILL_S", power.STILL_AFTER_S)
links.WIFI_SCAN_S = seconds("PATROL_SCAN_S", links.WIFI_SCAN_S)
power.NAP_LONGEST_MS = 1000 * seconds("PATROL_NAP_S", power.NAP_LONGEST_MS // 1000)
watch.PRE_ALARM_MS = 1000 * seconds("PATROL_WARN_S", watch.PRE_ALARM_MS // 1000)
links.OTHER_AFTER_MS = 1000 * seconds("PATROL_LTE_S", links.OTHER_AFTER_MS // 1000)

import main  # noqa: E402, F401
