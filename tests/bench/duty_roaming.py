"""`roaming`: whole units between a checkpoint's Wi-Fi and LTE, pressing all the time (rung 3).

Two brokers, one consumer behind both, as the county has it: what the checkpoint got and what came
over LTE. Lost is what a unit's own ledger says it accepted and the consumer neither got nor was
told of; doubled is a (sender, boot, seq) that the consumer took for new twice.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.fakes.county import County
from tests.fakes.modem import Modem
from tests.fakes.mosquitto import Mosquitto
from tests.fakes.unit_process import ROOT, UnitProcess

# On LTE a moving unit looks for Wi-Fi every power.WIFI_SCAN_S, two minutes; here every few seconds,
# and it counts as moving throughout. What is measured is what a change costs, not how it is found.
HASTY = ROOT / "tests/bench/on_unit/hasty.py"
HURRY = {"PATROL_SCAN_S": "4", "PATROL_STILL_S": "100000"}
UNITS = 4
SWITCH_S = 60  # Wi-Fi gone, 10 s of hope, modem on, registered, dialled
SETTLE_S = 60
PRESS_EVERY_S = 1.2
LONG_STAY_S = 33  # drivers.links.BACK_AFTER_MS and a little


class Checkpoint:
    """A second way into the county: the broker that a checkpoint's Wi-Fi leads to."""

    def __init__(self, folder: Path, county: County) -> None:
        self.broker = Mosquitto(folder)
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="county-at-k-07")
        self._client.on_connect = lambda client, *_: client.subscribe([("#", 1)])
        self._client.on_message = county._on_message  # pyright: ignore[reportPrivateUsage]

    def __enter__(self) -> Checkpoint:
        self.broker.start()
        self._client.connect("127.0.0.1", self.broker.port)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self.broker.stop()


def measure(folder: Path, switches: int = 52) -> dict[str, Any]:
    """{switches, published, lost, doubled_after_dedup, state_wrong, slowest_switch_s}."""
    with County(folder / "county", tls=False) as county:
        with Checkpoint(folder / "k-07", county) as checkpoint, ThreadPoolExecutor(UNITS) as pool:
            each = -(-switches // UNITS)
            done = list(
                pool.map(
                    lambda n: roam(folder / f"unit{n}", n, county, checkpoint, each),
                    range(1, UNITS + 1),
                )
            )
        with county._lock:  # pyright: ignore[reportPrivateUsage]
            records = [(who.get("U"), f["boot"], f["seq"]) for _, _, who, f in county.received]
    keys = [key for key in records if key[2]]  # births and wills are no records: number 0
    return {
        "switches": sum(len(row["times"]) for row in done),
        "published": sum(row["published"] for row in done),
        "lost": sum(row["lost"] for row in done),
        "doubled_after_dedup": len(keys) - len(set(keys)),
        "state_wrong": sum(row["state_wrong"] for row in done),
        "slowest_switch_s": round(max(max(row["times"]) for row in done), 1),
    }


def roam(
    folder: Path, number: int, county: County, checkpoint: Checkpoint, switches: int
) -> dict[str, Any]:
    """One unit: in range, out of range, …; what it published, what of it was lost."""
    unit = UnitProcess(folder, unit=f"u-{number:04}", script=HASTY, environment=HURRY)
    county.equip(unit)
    unit.settings["wifi"] = []
    unit.broker("k-07", "127.0.0.1", checkpoint.broker.port)
    unit.wifi_known("K07", "password", "k-07")
    unit.lte("cmnet", "county")
    over = threading.Event()
    times: list[float] = []
    with Modem(unit):
        unit.start()
        unit.charger(False)
        presses = threading.Thread(target=_press_all_the_time, args=(unit, over))
        presses.start()
        try:
            link = "lte"
            county.wait(lambda c: _link(c, unit) == "lte", SWITCH_S)
            for n in range(switches):
                link = "lte" if n % 2 else "wifi"
                (unit.out_of_range if n % 2 else unit.in_range)("K07", *["password"][n % 2 :])
                began = time.monotonic()
                county.wait(lambda c, link=link: _link(c, unit) == link, SWITCH_S)
                times.append(time.monotonic() - began)
                # mostly the modem is still on when the Wi-Fi goes; now and then it is off by then
                time.sleep(LONG_STAY_S if link == "wifi" and n % 6 == 0 else 1 + number / 4)
            over.set()
            presses.join()
            county.wait(lambda c: not c.lost(unit), SETTLE_S)
        except TimeoutError:
            if len(times) < switches:
                raise
        finally:
            over.set()
            presses.join()
            lost, published = len(county.lost(unit)), len(unit.ledger())
            state_wrong = int(_link(county, unit) != link)
            unit.stop()
    if "Traceback" in unit.console():
        raise RuntimeError(unit.console())
    return {"times": times, "lost": lost, "published": published, "state_wrong": state_wrong}


def _press_all_the_time(unit: UnitProcess, over: threading.Event) -> None:
    while not over.wait(PRESS_EVERY_S):
        unit.press()


def _link(county: County, unit: UnitProcess) -> str:
    """Over which link the newest state says the unit is online, "" when it says offline."""
    state = county.consumer.states.get(f"patrol/v1/c371500/{unit.unit}/state")
    return str(state.get("link")) if state and state["online"] else ""
