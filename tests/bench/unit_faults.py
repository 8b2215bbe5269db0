"""Faults of the line, done to a running unit: does its loop stand still, how soon is it back?"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.fakes.county import County
from tests.fakes.link import Link
from tests.fakes.unit_process import ROOT, UnitProcess, now_ms

INSTANT = {"PATROL_ERASE_MS": "0"}
FILL = ROOT / "tests/bench/on_unit/fill.py"
LOADED = ROOT / "tests/bench/on_unit/loaded_probe.py"
PROBE = ROOT / "tests/bench/on_unit/gap_probe.py"


class Rig:
    """A unit on a link to a county, on duty, with a ticker that tells its gaps."""

    def __init__(self, folder: Path, tls: bool = False) -> None:
        self.county = County(folder / "county", tls=tls)
        self.county.__enter__()
        self.link = Link(self.county.broker.port, tap=not tls)
        self.link.__enter__()
        self.unit = UnitProcess(folder / "unit", script=PROBE)
        self.county.equip(self.unit, self.link.port)
        self.unit.in_range("COUNTY", "password")
        self.unit.start()
        self.county.wait(lambda c: c.of("unit_state"), 15)
        self.unit.charger(False)

    def __enter__(self) -> Rig:
        return self

    def __exit__(self, *_: object) -> None:
        self.unit.stop()
        self.link.__exit__()
        self.county.__exit__()
        if "Traceback" in self.unit.console():
            raise RuntimeError(self.unit.console())

    def marked(self, timeout: float) -> float:
        """Press the button and wait until the county has the mark; seconds from press to there."""
        count = len(self.county.of("unit_mark"))
        pressed = self.unit.press()
        self.county.wait(lambda c: len(c.of("unit_mark")) > count, timeout)
        return (now_ms() - pressed) / 1000

    def gap_during(self, fault: Callable[[], Any]) -> int:
        """The ticker's longest gap while `fault` runs; its own period when there was none."""
        began = now_ms()
        fault()
        return max([gap for _, gap in self.unit.gaps(began)], default=50)


def _later(seconds: float) -> None:
    """The fault's own length: nothing to wait for."""
    time.sleep(seconds)


def broker_kill(rig: Rig) -> None:
    rig.county.broker.stop(kill=True)
    rig.unit.press()
    _later(3)
    rig.county.broker_back()
    rig.marked(30)


def broker_stopped(rig: Rig, seconds: float) -> None:
    rig.county.broker.signal(signal.SIGSTOP)
    rig.unit.press()
    _later(seconds)
    rig.county.broker.signal(signal.SIGCONT)
    rig.marked(40)


def mute_next_ack_s(rig: Rig) -> float:
    """One connection goes mute: from the next press to its arrival (over a new connection)."""
    rig.marked(20)
    rig.link.mute()
    pressed = rig.unit.press()
    count = len(rig.county.of("unit_mark"))
    rig.county.wait(lambda c: len(c.of("unit_mark")) > count, 30)
    return (now_ms() - pressed) / 1000


def mute_peer(rig: Rig, seconds: float) -> int:
    """Connections are taken and never answered; with TLS: in the middle of the handshake."""
    rig.link.silent = True
    rig.link.cut()

    def wait() -> None:
        rig.unit.press()
        _later(seconds)

    gap = rig.gap_during(wait)
    rig.link.silent = False
    rig.link.cut()
    rig.marked(60)
    return gap


def broker_back_sos_ack_s(rig: Rig) -> float:
    """An SOS raised while the broker is away: from the broker's return to its PUBACK."""
    tap = rig.link.tap
    assert tap is not None
    rig.county.broker.stop()
    rig.unit.hold()
    _later(4)
    rig.county.broker.start()
    back = now_ms()

    def acked(_: County) -> int | None:
        return next((ms for ms, name in tap.acked if ms >= back and name == "unit_sos"), None)

    return (rig.county.wait(acked, 30) - back) / 1000


def freezing_link(rig: Rig, seconds: float, freeze_s: float = 6, period_s: float = 20) -> int:
    """How often it had to connect while the link froze 6 s in every 20."""
    before = rig.link.connections
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        rig.link.frozen = True
        rig.unit.press()
        _later(freeze_s)
        rig.link.frozen = False
        _later(period_s - freeze_s)
    rig.marked(40)
    return rig.link.connections - before


def unresolvable(folder: Path) -> int:
    """A broker's name that nobody knows: the longest gap while it is looked up again and again."""
    unit = UnitProcess(folder, script=PROBE)
    unit.broker("county", "no-such-host.invalid", 8883)
    unit.wifi_known("COUNTY", "password", "county")
    unit.in_range("COUNTY", "password")
    unit.start()
    unit.charger(False)
    _later(1)
    began = now_ms()
    _later(12)
    gap = max([gap for _, gap in unit.gaps(began)], default=50)
    unit.stop()
    return gap


def full_flash(folder: Path, seconds: float) -> tuple[int, int]:
    """A flash with no room left and no broker, and a record a second.

    The ticker's longest gap, and the most blocks that were erased in one of its gaps.
    """
    small = {"PATROL_FLASH_KB": "160", "PATROL_TALK_MS": "1000"}
    lay = UnitProcess(folder, environment={**small, **INSTANT, "PATROL_FILL": "9999"}, script=FILL)
    lay.broker("county", "127.0.0.1", 9)
    lay.wifi_known("COUNTY", "password", "county")
    lay.start()
    lay.wait_exit(60)
    lay.stop()
    unit = UnitProcess(folder, environment=small, script=LOADED)
    unit.start()
    unit.charger(False)
    _later(1)
    began = now_ms()
    _later(seconds)
    gaps = unit.gaps(began)
    erases = [ms for ms, _ in unit.erases(began)]
    unit.stop()
    if "Traceback" in unit.console():
        raise RuntimeError(unit.console())
    if "unit_gap" not in {name for _, _, name in unit.ledger()}:
        raise RuntimeError("the flash was not full: nothing had to make room")
    # An erase is stamped when it begins, and its 45 ms end before the ticker's next turn.
    held = [len([ms for ms in erases if end - gap <= ms < end]) for end, gap in gaps]
    return max([gap for _, gap in gaps], default=50), max(held, default=0)


def measure(folder: Path, full: bool) -> dict[str, Any]:
    """loop_gap_ms, erases_in_a_gap, mute_next_ack_s, broker_back_sos_ack_s, freezing_link_connects.

    erases_in_a_gap: of the full flash; 1, or the task that writes did not let the others in.
    """
    gaps: dict[str, int] = {}
    found: dict[str, Any] = {"loop_gap_ms": gaps}
    with Rig(folder / "mute") as rig:
        found["mute_next_ack_s"] = round(mute_next_ack_s(rig), 2)
    with Rig(folder / "plain") as rig:
        gaps["broker_kill"] = rig.gap_during(lambda: broker_kill(rig))
        stopped_s = 15 if full else 6
        gaps["sigstop"] = rig.gap_during(lambda: broker_stopped(rig, stopped_s))
        gaps["mute_peer"] = mute_peer(rig, 10 if full else 5)
        found["broker_back_sos_ack_s"] = round(broker_back_sos_ack_s(rig), 2)
    if full:
        with Rig(folder / "freezing") as rig:
            found["freezing_link_connects"] = freezing_link(rig, 40)
    with Rig(folder / "tls", tls=True) as rig:
        gaps["mute_tls_peer"] = mute_peer(rig, 10 if full else 5)
    gaps["full_flash"], found["erases_in_a_gap"] = full_flash(folder / "full", 10 if full else 4)
    gaps["unresolvable_name"] = unresolvable(folder / "nameless")
    return found
