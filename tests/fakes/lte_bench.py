"""The LTE driver against the A7670 double in given time; pins, UART and PPP are played here.

The driver is a coroutine that only ever waits by asyncio.sleep_ms; here that hands the time back,
so hours pass in seconds and every run is the same.
"""

from __future__ import annotations

import asyncio
import sys
import types
from collections.abc import Generator
from typing import Any, NamedTuple

from tests.fakes.at_modem import AtModem, Fault

PPP_JOINS_MS = 1500
PPP_FALLS_MS = 300
OFF_AFTER_MS = 1500  # AT+CPOF until STATUS falls


class Row(NamedTuple):
    """A row of pins.csv, as drivers.pins reads it; `gpio` is the signal's name here."""

    gpio: str
    bus: str = "uart2.tx"
    active: str = "high"


SIGNALS = ("modem_tx", "modem_rx", "modem_pwrkey", "modem_reset", "modem_dtr", "modem_status")


class LteBench:
    """`run(ms)` lets time pass. `posted`, `links` and `logged` are what the driver told."""

    def __init__(
        self,
        faults: dict[str, list[Fault]] | None = None,
        ppp_joins: tuple[bool, ...] = (),
        grants_psm: bool = True,
    ) -> None:
        self.device = AtModem(faults, grants_psm=grants_psm)
        self.now = 0
        self.posted: list[tuple[Any, ...]] = []
        self.links: list[tuple[int, bool]] = []
        self.logged: list[str] = []
        self.order: list[str] = []  # PPP and pins, as they happened
        self.dtr = 0
        self._joins = list(ppp_joins)  # whether the next negotiations succeed; then all do
        self._ppp: Ppp | None = None
        self.lte = self._driver()
        self._run: Generator[int] = self.lte.run().__await__()
        self._wakes = 0

    def want(self, on: bool) -> None:
        self.lte.want(on)

    def sms(self, text: str, number: str = "110") -> None:
        self.lte.sms(number, text)

    def drop(self, data_mode: bool = False) -> None:
        """The carrier goes; with `data_mode` the modem does not notice that PPP is over."""
        self.device.data_mode = data_mode
        if self._ppp is not None:
            self._ppp.falls_ms = self.now + PPP_FALLS_MS

    def power_glitch(self) -> None:
        """The modem restarts by itself."""
        self.device.reset(self.now)
        self.drop()

    def run(self, ms: int) -> None:
        end = self.now + ms
        while self.now < end:
            if self._wakes <= self.now:
                self._wakes = self.now + next(self._run)
            self.now = max(self.now + 1, min(end, self._wakes))

    def until_up(self, up: bool = True, within_ms: int = 600_000) -> bool:
        end = self.now + within_ms
        while self.lte.up != up and self.now < end:
            self.run(100)
        return self.lte.up == up

    # --- what the driver imports --------------------------------------------------------------
    def now_ms(self) -> int:
        """As drivers.clock.Clock."""
        return self.now

    def join(self, ppp: Ppp) -> None:
        self._ppp = ppp
        self.order.append("ppp on")
        joins = self._joins.pop(0) if self._joins else True
        ppp.joins_ms = self.now + PPP_JOINS_MS if joins else None

    def _driver(self) -> Any:
        bench = self
        machine: Any = types.ModuleType("machine")
        machine.UART = lambda *_, **__: Uart(bench)
        machine.Pin = type("Pin", (BenchPin,), {"bench": bench, "IN": 0, "OUT": 1})
        network: Any = types.ModuleType("network")
        network.PPP = lambda _: Ppp(bench)
        before = {name: sys.modules.get(name) for name in ("machine", "network")}
        sys.modules.update(machine=machine, network=network)
        asyncio.sleep_ms = _sleep_ms  # pyright: ignore[reportAttributeAccessIssue]
        try:
            for name in ("drivers.lte", "drivers.at"):
                sys.modules.pop(name, None)
            from drivers.lte import Lte
        finally:
            for name, module in before.items():
                if module is None:
                    del sys.modules[name]
                else:
                    sys.modules[name] = module
        rows: Any = {signal: Row(signal) for signal in SIGNALS}
        settings = {"apn": "cmnet", "broker": "county"}

        def link(_: str, up: bool) -> None:
            bench.links.append((bench.now, up))

        return Lte(rows, settings, bench, link, bench.posted.append, bench.logged.append)


class _Pause:
    """What awaiting asyncio.sleep_ms does here: hand the milliseconds to whoever drives."""

    def __init__(self, ms: int) -> None:
        self._ms = ms

    def __await__(self) -> Generator[int]:
        yield self._ms


def _sleep_ms(ms: int) -> _Pause:
    return _Pause(ms)


class Uart:
    def __init__(self, bench: LteBench) -> None:
        self._bench = bench

    def read(self) -> bytes | None:
        return self._bench.device.read(self._bench.now) or None

    def write(self, data: bytes) -> None:
        self._bench.device.write(data, self._bench.now)


class BenchPin:
    bench: LteBench

    def __init__(self, signal: str, *_: Any, **__: Any) -> None:
        self._signal = signal
        self._since = 0

    def value(self, level: int | None = None) -> int:
        bench = self.bench
        if level is None:
            return int(bench.device.powered(bench.now))
        if self._signal == "modem_dtr":
            bench.dtr = level
        elif level:
            self._since = bench.now
        elif self._since is not None:
            bench.order.append(self._signal)
            held = bench.now - self._since
            if self._signal == "modem_reset":
                bench.device.reset(bench.now)
            else:
                bench.device.power_key(bench.now, held)
        return 0


class Ppp:
    def __init__(self, bench: LteBench) -> None:
        self._bench = bench
        self.joins_ms: int | None = None
        self.falls_ms: int | None = None

    def active(self, on: bool) -> None:
        pass

    def connect(self) -> None:
        self._bench.join(self)

    def isconnected(self) -> bool:
        now = self._bench.now
        if self.falls_ms is not None and now >= self.falls_ms:
            return False
        return self.joins_ms is not None and now >= self.joins_ms

    def disconnect(self) -> None:
        self._bench.order.append("ppp off")
        self.falls_ms = self._bench.now + PPP_FALLS_MS
