"""`modem_faults`: what goes wrong between power key and PPP, and whether the link still comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.at_modem import Fault
from tests.fakes.lte_bench import LteBench

WITHIN_MS = 300_000


@dataclass
class Scenario:
    """Faults of the dialogue, and what happens once the link is up (or at the time given)."""

    name: str
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    ppp_joins: tuple[bool, ...] = ()
    at_ms: int = 0
    answer_ms: int = 30
    happens: Callable[[LteBench], None] | None = None


SCENARIOS = [
    Scenario("silence after the power key", {"AT": [Fault.SILENT] * 5}),
    Scenario("silence for ever until a reset", {"AT": [Fault.HANGS]}),
    Scenario("every answer takes two seconds", answer_ms=2000),
    Scenario("echo in spite of ATE0", {"AT+CPIN?": [Fault.ECHO], "AT+CEREG?": [Fault.ECHO]}),
    Scenario("results nobody asked for inside an answer", {"AT+CEREG?": [Fault.URC_INSIDE]}),
    Scenario("the same in single bytes", {"AT+CPIN?": [Fault.URC_SPLIT]}),
    Scenario("noise of a UART that just woke", {"AT": [Fault.NOISE], "ATE0": [Fault.NOISE]}),
    Scenario("a line of 4 kB", {"AT+CPIN?": [Fault.LONG_LINE]}),
    Scenario("ERROR for a while", {"ATE0": [Fault.ERROR], "AT+CGDCONT": [Fault.ERROR] * 2}),
    Scenario("the SIM is slow", {"AT+CPIN?": [Fault.CME] * 3}),
    Scenario("searching for a minute", {"AT+CEREG?": [Fault.NOT_YET] * 25}),
    Scenario("restart in the middle of set-up", {"AT+CGDCONT": [Fault.RESET]}),
    Scenario("restart in the middle of dialling", {"ATD*99#": [Fault.RESET]}),
    Scenario("hangs while dialling", {"ATD*99#": [Fault.HANGS]}),
    Scenario("no carrier twice", {"ATD*99#": [Fault.NO_CARRIER, Fault.NO_CARRIER]}),
    Scenario("an answer that comes too late", {"AT+CEREG?": [Fault.LATE]}),
    Scenario("PPP does not come to an address", ppp_joins=(False,)),
    Scenario("restart before the first AT", at_ms=6000, happens=LteBench.power_glitch),
    Scenario("the carrier falls", happens=LteBench.drop),
    Scenario("PPP falls, the modem stays in data mode", happens=lambda b: b.drop(True)),
    Scenario("the modem restarts under PPP", happens=LteBench.power_glitch),
]


def recovers(scenario: Scenario) -> bool:
    """Whether there is an address in the end, with an undisturbed minute after it."""
    faults = {command: list(found) for command, found in scenario.faults.items()}
    bench = LteBench(faults, scenario.ppp_joins)
    bench.device.answer_ms = scenario.answer_ms
    bench.want(True)
    if scenario.happens is not None:
        if scenario.at_ms:
            bench.run(scenario.at_ms)
        elif not bench.until_up(within_ms=WITHIN_MS):
            return False
        scenario.happens(bench)
        bench.run(1000)
    came = bench.until_up(within_ms=WITHIN_MS)
    bench.run(60_000)
    return came and bench.lte.up and not any(faults.values())


def measure() -> dict[str, Any]:
    failed = [scenario.name for scenario in SCENARIOS if not recovers(scenario)]
    return {"tried": len(SCENARIOS), "recovered": len(SCENARIOS) - len(failed), "failed": failed}
