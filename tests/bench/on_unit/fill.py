"""Runs on the unit in place of main.py: lays locations in the queue, as an outage would.

PATROL_FILL is how many.
"""

import machine  # noqa: F401  (first: on a desk this is the power-on)

# isort: split
import os

from body_unit.store import Store
from patrol_contract import messages

BOOT = "00000000000000f1"

store = Store("queue", BOOT, None)
for seq in range(1, int(os.getenv("PATROL_FILL")) + 1):
    fields = {
        "_type": "location",
        "v": 1,
        "boot": BOOT,
        "seq": seq,
        "lat": 352381100 + seq,
        "lon": 1154802000 - seq,
        "acc": 5,
        "tst": 1795280400 + 10 * seq,
        "vel": 4,
        "batt": 80,
        "tid": "01",
    }
    payload = messages.encode("unit_location", fields)
    store.append(2, seq, "owntracks/c371500/u-0001", payload)
    if seq % 50 == 0 and not store.commit():
        break  # the flash is full
store.commit()
