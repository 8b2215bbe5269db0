"""What a kind hands on: one look at the world, with the time of the look."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple


class Fix(NamedTuple):
    """1e-7 degree WGS-84, and Unix seconds of GPS time."""

    lat7: int
    lon7: int
    unix_s: int


@dataclass(frozen=True, slots=True)
class Reading:
    """A value in 1e-3 of its unit, or a text, or a problem (then neither).

    Empty it says: the sensor works again, and has not said anything yet.
    An `event` stands for itself (a plate that passed): it is reported even if the text is the
    same as before, and never repeated as a heartbeat.
    """

    value: int | None = None
    text: str | None = None
    problem: str | None = None  # why there is no value, a sentence
    event: bool = False
    fix: Fix | None = None  # the checkpoint's own receiver: place and clock
    at: float = field(default_factory=time.time)  # Unix seconds at which it was read

    @property
    def empty(self) -> bool:
        return self.value is None and self.text is None and self.problem is None


Emit = Callable[[Reading], None]
