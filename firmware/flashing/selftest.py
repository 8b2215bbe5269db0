"""The self test of a made unit, over its REPL: the table of checks, and what each must find.

Every check is bounded. FAIL is what was tried and is wrong; SKIP is what could not be tried here
(no fix indoors, no broker in reach) and does not stand in the way of a PASS; a question that nobody
answered is a FAIL. The unit's half is firmware/drivers/selftest.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

from flashing.errors import FlashError
from flashing.repl import DeviceError, Repl
from flashing.technician import Technician

PASS, FAIL, SKIP = "PASS", "FAIL", "SKIP"
CELL_MV = range(3000, 4350)  # a Li-ion cell that is neither dead nor a short to the charger
SMALLEST_HEAP = 320 * 1024  # bytes: more than an ESP32 without PSRAM has, and a unit wants one with
BUTTON_SECONDS, BUTTON_SLICE_MS = 20, 1000
ANSWER_SECONDS = 20.0


@dataclass(frozen=True)
class Expected:
    """What was written: MAC, unit, path -> SHA-256, MicroPython and bytecode versions."""

    mac: str
    unit: str
    hashes: dict[str, str]
    micropython: str
    mpy: str
    signals: set[str]  # rows of the board's pins.csv


@dataclass
class Report:
    """Outcome of each check, and what was learnt of the unit (goes into the ledger)."""

    outcomes: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    learnt: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def passed(self) -> bool:
        return bool(self.outcomes) and all(how != FAIL for how, _ in self.outcomes.values())

    def sentence(self) -> str:
        """Return what failed, for the person."""
        return "; ".join(
            f"{name}: {why}" for name, (how, why) in self.outcomes.items() if how == FAIL
        )


class Bench:
    """One unit under test."""

    def __init__(self, repl: Repl, person: Technician, expected: Expected) -> None:
        self.repl, self.person, self.expected = repl, person, expected

    def call(self, code: str, seconds: float) -> dict[str, Any]:
        """Run one function of the unit's half and return its JSON.

        ESP-IDF's own log (`W (4711) wifi: …`) comes out of the same wire: only JSON counts.
        """
        said = self.repl.run(f"selftest.{code}", seconds)
        for line in reversed(said.splitlines()):
            with suppress(ValueError):
                found: Any = json.loads(line)
                if isinstance(found, dict):
                    return cast(dict[str, Any], found)
        raise DeviceError(
            self.repl.port, f"the unit's answer is not understood: {said[-80:]!r}", False
        )

    def ask(self, question: str) -> bool:
        return self.person.ask(self.repl.port, question, ANSWER_SECONDS) is True


Outcome = tuple[str, str, dict[str, Any]]


def _identity(bench: Bench) -> Outcome:
    found, want = bench.call("who()", 30), bench.expected
    learnt = {"heap": found["heap"]}
    wrong = sorted(p for p, digest in want.hashes.items() if found["hashes"].get(p) != digest)
    if found["mac"] != want.mac:
        return FAIL, f"this board is {found['mac']}, not {want.mac}: flash again", learnt
    if found["unit"] != want.unit:
        return FAIL, f"it says it is {found['unit']}: flash again", learnt
    if wrong:
        return FAIL, f"{wrong[0]} is not as written ({len(wrong)} files): flash again", learnt
    if str(found["mpy"]) != want.mpy.split(".")[0]:
        return FAIL, f"its bytecode version is {found['mpy']}, not {want.mpy}: flash again", learnt
    if found["heap"] < SMALLEST_HEAP:
        heap = found["heap"] // 1024
        return FAIL, f"it has {heap} KB of heap: take a board with PSRAM", learnt
    return PASS, f"{len(want.hashes)} files as written", learnt


def _gps(bench: Bench) -> Outcome:
    found = bench.call("gps()", 20)
    if not found["heard"]:
        return FAIL, "the receiver is silent: check its plug and its power", {}
    return PASS, "sentence and fix" if found["fix"] else "sentence; no fix (indoors?)", {}


def _button(bench: Bench) -> Outcome:
    stuck = False
    for left in range(BUTTON_SECONDS, 0, -1):
        bench.person.say(
            bench.repl.port, f"press the button now, then let go 请按一下按钮 ({left} s)"
        )
        found = bench.call(f"pressed({BUTTON_SLICE_MS})", 5)
        if found["down"] and found["up"]:
            return PASS, "pressed", {}
        stuck = found["down"]
    if stuck:
        return FAIL, "the button stays down: check it for a short", {}
    return FAIL, "nobody pressed the button, or it is not connected: run check again", {}


def _felt(signal: str, question: str, remedy: str) -> Callable[[Bench], Outcome]:
    def check(bench: Bench) -> Outcome:
        bench.call(f"pulse({signal!r})", 5)
        if bench.ask(question):
            return PASS, "confirmed", {}
        return FAIL, remedy, {}

    return check


def _battery(bench: Bench) -> Outcome:
    mv = bench.call("battery()", 5)["mv"]
    if mv in CELL_MV:
        return PASS, f"{mv} mV", {"battery_mv": mv}
    return FAIL, f"{mv} mV at the cell: check the cell and its plug", {"battery_mv": mv}


def _modem(bench: Bench) -> Outcome:
    found = bench.call("modem()", 45)
    if not found["imei"]:
        return FAIL, "the modem does not answer: check its power and PWRKEY", found
    if not found["iccid"]:
        return FAIL, "the modem has no SIM: put one in", found
    return PASS, found["imei"], found


def _line(bench: Bench) -> Outcome:
    found = bench.call("line(10)", 40)
    if found["reach"] == "TLS":
        return PASS, "Wi-Fi and TLS to the broker", {}
    if found["reach"]:
        return SKIP, found["reach"], {}
    return FAIL, f"no line to the broker ({found['why']}): check password and broker", {}


@dataclass(frozen=True)
class Check:
    """One row: it runs on boards that have `signal` ('' runs always)."""

    name: str
    signal: str
    run: Callable[[Bench], Outcome]


CHECKS = [
    Check("identity", "", _identity),
    Check("gps", "gps_rx", _gps),
    Check("button", "button", _button),
    Check(
        "haptic",
        "haptic",
        _felt(
            "haptic",
            "did the unit vibrate three times? 震动三次了吗？",
            "the vibration was not felt: check the motor",
        ),
    ),
    Check(
        "light",
        "light",
        _felt(
            "light",
            "did the light blink three times? 灯闪三次了吗？",
            "the light was not seen: check the LED",
        ),
    ),
    Check("battery", "battery", _battery),
    Check("modem", "modem_tx", _modem),
    Check("line", "", _line),
]


def run(port: str, person: Technician, expected: Expected, line: bool = True) -> Report:
    """Test the unit on `port`; `line` False leaves the Wi-Fi and broker check out."""
    report = Report()
    checks = [c for c in CHECKS if not c.signal or c.signal in expected.signals]
    with Repl(port) as repl:
        _prepare(repl)
        bench = Bench(repl, person, expected)
        for number, check in enumerate(checks):
            person.progress(port, f"test: {check.name}", number / len(checks))
            if check.name == "line" and not line:
                report.outcomes["line"] = SKIP, "left out"
                continue
            try:
                how, why, learnt = check.run(bench)
            except DeviceError as error:
                how, why, learnt = FAIL, str(error), {}
            report.outcomes[check.name] = how, why
            report.learnt.update(learnt)
            if check.name == "identity" and how == FAIL:
                break  # the rest would test something that is not what was made
        repl.restart()
    person.progress(port, "test", 1.0)
    return report


def _prepare(repl: Repl) -> None:
    try:
        repl.run("from drivers import selftest\nselftest.hold_watchdog()")
    except DeviceError as error:
        raise FlashError(
            f"{repl.port}: the unit's program cannot be loaded ({error}): flash again"
        ) from error
