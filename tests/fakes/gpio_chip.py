"""A GPIO chip with gpiod v2's methods, for where there is none (no gpio-sim in this kernel).

    chip = FakeChip()
    bus = GpioBus(section, open_chip=chip.open)
    chip.set(17, 0)            # the wire goes to ground
    chip.bounce(17, [1, 0, 1, 0], gap_s=0.001)
    chip.driven[27]            # the level an output line is driven to, physical
    chip.taken.add(5); chip.gone = True   # EBUSY, ENODEV

Real gpiod objects go in (LineSettings) and come out (EdgeEvent). Debounce is done as the kernel
does it: a level counts once it has been stable for the period, and the edge is stamped then. Edges
beyond the buffer are lost, their numbers are not. read_edge_events blocks where there is none, as
gpiod's does. What only a Pi shows: electrical levels, pull resistors, permissions, line numbers.
"""

from __future__ import annotations

import errno
import os
import select
import threading
import time
from collections import deque
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, Self

import gpiod
from gpiod.line import Bias, Direction, Edge, Value


class FakeChip:
    """One chip; levels are physical (1 = high)."""

    def __init__(self, lines: int = 64) -> None:
        self.lines = lines
        self.taken: set[int] = set()
        self.gone = False
        self.driven: dict[int, int] = {}
        self.history: list[tuple[int, int]] = []  # every level an output line was given
        self.levels: dict[int, int] = {}
        self.requests: dict[int, FakeRequest] = {}
        self._lock = threading.RLock()

    def open(self, path: str) -> Self:
        if self.gone:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """A request outlives the chip object, as in gpiod."""

    def get_info(self) -> SimpleNamespace:
        return SimpleNamespace(name="gpiochip9", label="fake", num_lines=self.lines)

    def get_line_info(self, line: int) -> SimpleNamespace:
        used = line in self.taken or line in self.requests
        consumer = "other" if used else ""
        return SimpleNamespace(
            **{"offset": line, "name": f"GPIO{line}", "used": used, "consumer": consumer},
            direction=Direction.INPUT,
        )

    def request_lines(
        self,
        config: dict[int, gpiod.LineSettings],
        consumer: str,
        event_buffer_size: int = 16,
    ) -> FakeRequest:
        ((line, settings),) = config.items()
        if line >= self.lines:
            raise ValueError(f"no line {line}")
        if line in self.taken or line in self.requests:
            raise OSError(errno.EBUSY, "Device or resource busy")
        request = self.requests[line] = FakeRequest(self, line, settings, event_buffer_size)
        return request

    def set(self, line: int, level: int) -> None:
        """The world moves an input."""
        with self._lock:
            if self.levels.get(line) != level:
                self.levels[line] = level
                if line in self.requests:
                    self.requests[line].moved()

    def bounce(self, line: int, levels: Iterable[int], gap_s: float) -> None:
        for level in levels:
            self.set(line, level)
            time.sleep(gap_s)  # the contact's own time, not a wait for us

    def lose(self) -> None:
        """A USB expander is pulled out."""
        self.gone = True
        for request in list(self.requests.values()):
            request.die()

    def level(self, line: int, settings: gpiod.LineSettings) -> int:
        """Physical level: what drives the line, else its pull."""
        pulled = 1 if settings.bias is Bias.PULL_UP else 0
        return self.levels.get(line, pulled)

    def drive(self, line: int, level: int) -> None:
        self.driven[line] = level
        self.history.append((line, level))


class FakeRequest:
    """One requested line; the methods of gpiod.LineRequest that the agent uses."""

    def __init__(
        self, chip: FakeChip, line: int, settings: gpiod.LineSettings, buffer: int
    ) -> None:
        self._chip, self._line, self._settings = chip, line, settings
        self._events: deque[gpiod.EdgeEvent] = deque()
        self._buffer = buffer
        self._seqno = 0
        self._read_end, self._write_end = os.pipe()
        self._dead = False
        self._timer: threading.Timer | None = None
        self._stable = chip.level(line, settings)
        if settings.direction is Direction.OUTPUT:
            self._drive(settings.output_value)

    @property
    def fd(self) -> int:
        return self._read_end

    def get_value(self, line: int) -> Value:
        self._alive()
        return Value.ACTIVE if self._logical(self._stable) else Value.INACTIVE

    def set_value(self, line: int, value: Value) -> Self:
        self._alive()
        self._drive(value)
        return self

    def wait_edge_events(self, timeout: float | None = None) -> bool:
        self._alive()
        return bool(select.select([self._read_end], [], [], timeout)[0])

    def read_edge_events(self, max_events: int | None = None) -> list[gpiod.EdgeEvent]:
        self._alive()
        os.read(self._read_end, 65536)
        events = []
        while self._events and (max_events is None or len(events) < max_events):
            events.append(self._events.popleft())
        return events

    def release(self) -> None:
        self._chip.requests.pop(self._line, None)
        if self._timer:
            self._timer.cancel()
        if self._read_end >= 0:
            os.close(self._read_end)
            os.close(self._write_end)
            self._read_end = self._write_end = -1

    def moved(self) -> None:
        """The world changed the level; it counts once it is stable."""
        period = self._settings.debounce_period.total_seconds()
        if self._timer:
            self._timer.cancel()
        if period:
            self._timer = threading.Timer(period, self._settle)
            self._timer.daemon = True
            self._timer.start()
        else:
            self._settle()

    def die(self) -> None:
        self._dead = True
        os.write(self._write_end, b"!")

    def _settle(self) -> None:
        level = self._chip.level(self._line, self._settings)
        if level == self._stable or self._read_end < 0:
            return
        self._stable = level
        rising = self._logical(level) == 1
        wanted = {Edge.BOTH: (True, False), Edge.RISING: (True,), Edge.FALLING: (False,)}
        if rising not in wanted.get(self._settings.edge_detection, ()):
            return
        self._seqno += 1
        kinds = gpiod.EdgeEvent.Type
        kind: Any = kinds.RISING_EDGE if rising else kinds.FALLING_EDGE
        if len(self._events) < self._buffer:
            self._events.append(
                gpiod.EdgeEvent(kind.value, time.time_ns(), self._line, self._seqno, self._seqno)
            )
        os.write(self._write_end, b".")

    def _logical(self, level: int) -> int:
        return level ^ 1 if self._settings.active_low else level

    def _drive(self, value: Value) -> None:
        on = 1 if value is Value.ACTIVE else 0
        self._chip.drive(self._line, self._logical(on))

    def _alive(self) -> None:
        if self._dead:
            raise OSError(errno.ENODEV, "No such device")
