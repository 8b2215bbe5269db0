"""The accelerometer's driver against the virtual chip in given time.

bench = AccelBench([(0, 0, 1000)])      # what it feels; "absent" and other moods of the chip
bench.run(5000); bench.feel(trace); bench.posted
"""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import time
import types
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
Sample = tuple[int, int, int]
UPRIGHT: Sample = (0, 0, 1000)


class Row(NamedTuple):
    gpio: str


def model() -> Any:
    """firmware/virtual/lis3dh.py, which is not on the path here."""
    spec = importlib.util.spec_from_file_location("lis3dh", ROOT / "firmware/virtual/lis3dh.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class AccelBench:
    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, felt: Iterable[Sample] = (UPRIGHT,), mood: str = "ok"
    ) -> None:
        self.now = 0
        self.posted: list[tuple[Any, ...]] = []
        self.logged: list[str] = []
        self._version = 1
        self._felt = (mood, list(felt))
        self.bus = model().Bus(self._look, lambda: self.now)
        bench = self
        machine: Any = types.ModuleType("machine")
        machine.Pin = type("Pin", (BenchPin,), {"bench": bench})
        machine.I2C = lambda *_, **__: BenchI2C(bench)
        monkeypatch.setitem(sys.modules, "machine", machine)
        monkeypatch.delitem(sys.modules, "drivers.lis3dh", raising=False)
        monkeypatch.setattr(asyncio, "sleep_ms", Pause, raising=False)
        monkeypatch.setattr(time, "sleep_us", lambda _: None, raising=False)
        from drivers.lis3dh import Accelerometer

        monkeypatch.delitem(sys.modules, "drivers.lis3dh")
        rows: Any = {name: Row(name) for name in ("i2c_sda", "i2c_scl")}
        self.driver = Accelerometer(rows, self)
        self.driver.attach(self.posted.append, self.logged.append)
        self._run: Generator[int] | None = None
        self._wakes = 0

    def now_ms(self) -> int:
        return self.now

    def feel(self, felt: Iterable[Sample] | None = None, mood: str = "ok") -> None:
        self._version += 1
        self._felt = (mood, list(felt) if felt is not None else [UPRIGHT])

    def run(self, ms: int, awake: bool = True) -> None:
        """Let time pass; not `awake`: the CPU sleeps, the driver has no turn."""
        end = self.now + ms
        self._run = self._run or self.driver.run().__await__()
        while self.now < end:
            if awake and self._wakes <= self.now:
                self._wakes = self.now + next(self._run)
            self.now = min(end, max(self.now + 1, self._wakes)) if awake else self.now + 20
            self.bus.pass_time()

    def named(self, name: str) -> list[tuple[Any, ...]]:
        return [event for event in self.posted if event[0] == name]

    def _look(self, known: int | None) -> tuple[int, str, list[Sample]]:
        return self._version, *(("", []) if known == self._version else self._felt)


class Pause:
    def __init__(self, ms: int) -> None:
        self._ms = ms

    def __await__(self) -> Generator[int]:
        yield self._ms


class BenchPin:
    bench: AccelBench
    IN, OPEN_DRAIN = 0, 1

    def __init__(self, signal: str, *_: Any, **__: Any) -> None:
        self._signal = signal
        self._level = 1

    def value(self, level: int | None = None) -> int:
        if level is None:
            return self.bench.bus.sda()
        if self._signal == "i2c_scl" and level != self._level:
            self.bench.bus.clock(level)
        self._level = level
        return level


class BenchI2C:
    def __init__(self, bench: AccelBench) -> None:
        self._bus = bench.bus

    def readfrom_mem_into(self, address: int, register: int, buffer: Any) -> None:
        self._bus.transfer(address)
        buffer[:] = self._bus.chip.read(register, len(buffer))

    def writeto_mem(self, address: int, register: int, data: bytes) -> None:
        self._bus.transfer(address)
        self._bus.chip.write(register, data[0])
