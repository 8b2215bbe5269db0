"""A finger on the button has the flash to itself: no erase comes between a hold and its latch."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

from tests.fakes.county import County
from tests.fakes.unit_process import UnitProcess, now_ms

SEEN_MS = 150  # until the unit has seen a finger: bounce, sample, a step that has begun
HELD_S = 1.2  # given up in time, yet it might have been an SOS
# The unit whose flash is owed something for ever, and every step of it erases.
BUSY = """
import machine
import world
from drivers.records import Records

Records.step = lambda self: world.erase() or True

from main import run
run()
"""


def test_a_hold_has_the_flash_to_itself(tmp_path: Path) -> None:
    (tmp_path / "busy.py").write_text(BUSY)
    with County(tmp_path / "county", tls=False) as county:
        unit = UnitProcess(tmp_path / "unit", script=tmp_path / "busy.py")
        county.equip(unit)
        unit.start()
        county.wait(lambda _: len(unit.erases()) > 20, 20)
        fingers = []
        for _ in range(4):
            down = now_ms()
            fingers.append((down, unit.press(HELD_S)))
            time.sleep(0.5)
        unit.stop()
    assert "Traceback" not in unit.console(), unit.console()
    erases = [ms for ms, _ in unit.erases(fingers[0][0])]
    assert not [ms for ms in erases for down, up in fingers if down + SEEN_MS <= ms <= up]
    for (_, up), (down, _) in itertools.pairwise(fingers):
        assert len([ms for ms in erases if up < ms < down]) >= 2  # and goes on when it is gone
