"""How a clock that was not set ran, and what time it really was then. Pure; kept over restarts.

A Pi's wall clock goes on from where it was switched off until something sets it. All that is sure
meanwhile is the kernel's own count of seconds since it booted, and which boot that was. So a record
is stamped with those (event.Stamp), and once the true time of any moment of that boot is known, the
true time of every record of it is: offset + up. What boot never learned its time keeps it unknown.

`runs` are the stretches in which the wall clock was wrong: a time read in one and told later (since
when somebody is on duty, say) is found by them.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from edge_agent.event import Stamp

BOOTS = 16  # remembered; records of earlier ones are long gone or stay marked
STEP_S = 2.0  # two clocks that differ by less agree
KEEP_S = 60.0  # a run's growth that is worth a commit


class Run(NamedTuple):
    """The wall clock was `skew` s ahead of the boot's count, from `begins` to `ends` of it."""

    boot: str
    skew: float
    begins: float
    ends: float

    def stamp(self) -> Stamp:
        return Stamp(self.boot, self.ends, self.ends + self.skew)


class Known(NamedTuple):
    """A boot's true time: Unix s = offset + up. `at`: the count when that was first known."""

    offset: float
    source: str
    at: float


class Timeline:
    """`unset` and `known` as time goes by; then `moved` and `find`."""

    def __init__(self, kept: bytes | None = None) -> None:
        self.runs: list[Run] = []
        self.boots: dict[str, Known] = {}
        self.changed = False  # since the last `state()`
        if kept is not None:
            state = json.loads(kept)
            self.runs = [Run(*row) for row in state["runs"]]
            self.boots = {boot: Known(*row) for boot, row in state["boots"].items()}

    def state(self) -> bytes:
        """What to keep over a restart."""
        self.changed = False
        return json.dumps({"runs": self.runs, "boots": self.boots}).encode()

    def unset(self, stamp: Stamp) -> None:
        """The wall clock says `stamp.wall`, and nobody vouches for it."""
        skew = stamp.wall - stamp.up
        for index, run in enumerate(self.runs):
            if run.boot == stamp.boot and abs(run.skew - skew) < STEP_S:
                if stamp.up > run.ends:
                    self.changed |= stamp.up // KEEP_S != run.ends // KEEP_S
                    self.runs[index] = run._replace(ends=stamp.up)
                return
        self.runs = [*self.runs[1 - BOOTS :], Run(stamp.boot, skew, stamp.up, stamp.up)]
        self.changed = True

    def known(self, boot: str, up: float, unix_s: float, source: str) -> None:
        """The true time at `up` of this boot."""
        old = self.boots.pop(boot, None)
        offset = unix_s - up
        if old is None or old.source != source or abs(old.offset - offset) > STEP_S:
            self.boots[boot] = Known(offset, source, up if old is None else old.at)
            self.changed = True
        else:
            self.boots[boot] = old
        while len(self.boots) > BOOTS:
            del self.boots[next(iter(self.boots))]

    def moved(self, stamp: Stamp) -> float | None:
        """What to add to the wall times of a record so stamped; None while it is not known."""
        known = self.boots.get(stamp.boot)
        return None if known is None else known.offset + stamp.up - stamp.wall

    def find(self, wall: float, boot: str, now: float) -> Stamp | None:
        """The run in which a clock may have said `wall`, which is told now, at `now` of `boot`,
        with the clock set; None for a time that was right."""
        known = self.boots.get(boot)
        if known is not None and known.offset + known.at - STEP_S <= wall <= now + STEP_S:
            return None
        for run in reversed(self.runs):
            if run.begins - STEP_S <= wall - run.skew <= run.ends + STEP_S:
                return run.stamp()
        return None


def spoken(stamp: Stamp, wall: float) -> bool:
    """Whether a time in a record is one that the stamped clock can have said since its boot."""
    return stamp.wall - stamp.up - STEP_S <= wall <= stamp.wall + STEP_S
