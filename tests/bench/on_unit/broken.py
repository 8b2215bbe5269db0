"""main.py on a unit whose battery reading raises, or (PATROL_STUCK) never comes back."""

import machine  # noqa: F401  (first: on a desk this is the power-on)

# isort: split
import os

import utime

from drivers import battery, care

care.BITES_MS = 2000  # a test does not wait for half a minute


def mv(self):
    if os.getenv("PATROL_STUCK"):
        utime.sleep(600)
    raise RuntimeError("a loose wire")


battery.Battery.mv = mv
import main  # noqa: E402, F401  (it runs until that)
