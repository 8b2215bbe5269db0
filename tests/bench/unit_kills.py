"""SIGKILL of a unit at random moments, its broker killed and stopped meanwhile: is anything lost?

Counted outside: the ledger says what the unit accepted (on flash), the link says what a broker
acknowledged. Three boots in ten minutes are safe mode, in which a unit says little: on_unit/load.py
makes it talk. The control is the same bench on a unit that deletes a record when it is sent.
"""

from __future__ import annotations

import random
import shutil
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.fakes.link import Link
from tests.fakes.mosquitto import UNLIMITED, Mosquitto
from tests.fakes.unit_process import ROOT, UnitProcess

LOAD = ROOT / "tests/bench/on_unit/load.py"
WINDOW = 8
DRAIN_S = 20  # without one more arriving: longer than the longest patience of one connection
SENT = "            session.publish(*split(record[1]), False, record)\n"
FORGET = """\
            self._records.done(record)
            self._records.store.settle()
"""


def early_deleting(folder: Path) -> Path:
    """A firmware that forgets a record when it is written to the socket."""
    tree = folder / "early"
    shutil.copytree(
        ROOT / "firmware", tree, ignore=shutil.ignore_patterns("flashing", "__pycache__")
    )
    line = tree / "drivers/line.py"
    text = line.read_text()
    if text.count(SENT) != 2:
        raise RuntimeError("drivers/line.py sends in another way now: adapt the control")
    line.write_text(text.replace(SENT, SENT + FORGET))
    return tree


class Disturbance(threading.Thread):
    """Kills and stops the broker, cuts and mutes the link, at random, until told to end."""

    def __init__(self, broker: Mosquitto, link: Link, seed: int) -> None:
        super().__init__(daemon=True)
        self._broker, self._link, self._dice = broker, link, random.Random(seed)
        self._end = threading.Event()

    def run(self) -> None:
        while not self._end.wait(self._dice.uniform(1, 4)):
            what = self._dice.choice(["kill", "stop", "cut", "mute"])
            if what == "kill":
                self._broker.stop(kill=True)
                self._end.wait(self._dice.uniform(0.5, 4))
                self._broker.start()
            elif what == "stop":
                self._broker.signal(signal.SIGSTOP)
                self._end.wait(self._dice.uniform(0.5, 3))
                self._broker.signal(signal.SIGCONT)
            elif what == "cut":
                self._link.cut()
            else:
                self._link.mute()

    def end(self) -> None:
        self._end.set()
        self.join()


def run(folder: Path, kills: int, seed: int, firmware: Path | None = None) -> dict[str, int]:
    """{"kills", "accepted", "lost", "duplicates"} of one unit."""
    dice = random.Random(seed)
    broker = Mosquitto(folder / "broker", UNLIMITED)
    unit = UnitProcess(folder / "unit", firmware=firmware, script=LOAD)
    with broker, Link(broker.port, tap=True) as link:
        tap = link.tap
        assert tap is not None
        unit.broker("county", "127.0.0.1", link.port)
        unit.wifi_known("COUNTY", "password", "county")
        unit.in_range("COUNTY", "password")
        disturbance = Disturbance(broker, link, seed)
        disturbance.start()
        for _ in range(kills):
            unit.start()
            unit.charger(False)
            time.sleep(dice.uniform(0.3, 2.2))
            if dice.random() < 0.5:  # the worst moment: sent, and nobody has it
                link.mute()
                time.sleep(dice.uniform(0.1, 0.5))
            unit.kill()
        disturbance.end()
        unit.start()
        deadline, least = time.monotonic() + DRAIN_S, len(unit.ledger())
        while (left := len(missing(unit, link))) and time.monotonic() < deadline:
            if left < least:
                deadline, least = time.monotonic() + DRAIN_S, left
            time.sleep(0.5)
        unit.stop()
        if "Traceback" in unit.console():
            raise RuntimeError(unit.console())
        lost = missing(unit, link)
    return {
        "kills": kills,
        "accepted": len(unit.ledger()),
        "lost": len(lost),
        "duplicates": tap.repeats,
    }


def missing(unit: UnitProcess, link: Link) -> list[tuple[str, int, str]]:
    """What the ledger has and no broker acknowledged, gaps that it declared left out."""
    assert link.tap is not None
    consumer = link.tap.consumer
    found = []
    for boot, seq, name in unit.ledger():
        got = consumer.senders.get((unit.unit, boot))
        told = consumer.declared.get((unit.unit, boot))
        if not (got and seq in got) and not (told and seq in told):
            found.append((boot, seq, name))
    return found


def measure(folder: Path, kills: int = 100, control: int = 20, units: int = 2) -> dict[str, Any]:
    """{"kills", "accepted", "lost", "duplicates", "duplicates_allowed", "control_lost"}."""
    with ThreadPoolExecutor(units + 1) as pool:
        early_run = pool.submit(run, folder / "control", control, 99, early_deleting(folder))
        rows = list(
            pool.map(lambda n: run(folder / f"unit{n}", -(-kills // units), n), range(units))
        )
        early = early_run.result()
    total = {key: sum(row[key] for row in rows) for key in rows[0]}
    total["duplicates_allowed"] = WINDOW * total["kills"]
    total["control_lost"] = early["lost"]
    return total
