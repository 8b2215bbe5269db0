"""`make soak`: ten minutes of a night, the whole agent under load with its page open in Chromium.

200 units on MQTT connections of their own send 50 positions a second; an SOS every half minute is
closed by the county. Then the agent is killed (SIGKILL) again and again under the same load: the
page comes back by itself and the county has every record that was acknowledged. One JSON object
on the last line; SOAK_S shortens it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import tempfile
import time
from pathlib import Path

from tests.soak.soak import soak

SOAK_S = float(os.environ.get("SOAK_S", "600"))

if __name__ == "__main__":
    logging.basicConfig(level="WARNING")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="patrol-soak-") as scratch:
        found = asyncio.run(soak(Path(scratch), SOAK_S, units=200, per_s=50, kills=12))
    print(json.dumps({**found, "took_s": round(time.monotonic() - began)}))
