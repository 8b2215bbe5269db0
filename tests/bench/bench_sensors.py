"""`make bench-sensors`: what the sensors' room promises, measured against real peers.

Prints what it does as it goes, and one JSON object as its last line:
poll_period_s      how often each of 14 living slaves was read, 9600 baud, two more silent (mean,
                   counted by the slaves' side)
bus_minimum_s      the same if the line were never idle: frames (with the 3.5 characters of silence
                   that end each, Modbus over Serial Line 2.5.1.1) and turn-around (5 ms, which
                   holds the silence after the request) of the living, plus the configured
                   time-out of the silent ones at their backed-off rate
ratio              of the two; to be <= 1.25
edge_to_outbox_ms  {p50, p99, n}: a contact's edge (fake chip, real gpiod types) until the outbox
                   has committed it (SQLite, FULL, on `disk`)
replug_recover_s   the worst of `replugs`: adapter back under another number -> a reading committed
faults             {tried, survived}: tests/edge_agent/sensors/scenarios.py
wakeups_per_s      the agent's thread, idle: four contacts, a silent line, two Modbus registers and
                   the host every 10 s (voluntary context switches)
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "firmware")]

from edge_agent.buses import Bus, Buses  # noqa: E402
from edge_agent.buses.gpio import GpioBus  # noqa: E402
from edge_agent.buses.section import GpioSection  # noqa: E402
from edge_agent.event import Event  # noqa: E402
from edge_agent.outbox import Outbox  # noqa: E402
from edge_agent.reporter import Reporter  # noqa: E402
from edge_agent.sensors.room import Sensors  # noqa: E402
from patrol_contract import messages  # noqa: E402
from tests.edge_agent.sensors.rig import loaded  # noqa: E402
from tests.edge_agent.sensors.scenarios import SCENARIOS, Scenario  # noqa: E402
from tests.fakes.gpio_chip import FakeChip  # noqa: E402

BAUD, TURNAROUND_S, TIMEOUT_S, RETRY_S = 9600, 0.005, 0.3, 10.0
SLAVES, SILENT = range(1, 17), (15, 16)
FRAMES_S = (8 + 7) * 10 / BAUD  # request and answer of one register, ten bits a character

SILENCE_S = 3.5 * 10 / BAUD


def say(text: str) -> None:
    print(text, flush=True)


class Line:
    """tests/fakes/modbus_slave.py as a process of its own."""

    def __init__(self, link: Path, slaves: Mapping[int, Any], *options: str) -> None:
        command = [sys.executable, "-m", "tests.fakes.modbus_slave", str(link), json.dumps(slaves)]
        self._process = subprocess.Popen(
            [*command, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self.link = link
        self._line()

    def _line(self) -> Any:
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())

    def do(self, name: str, *args: Any) -> Any:
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"do": name, "args": args}) + "\n")
        self._process.stdin.flush()
        return self._line()["answer"]

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(10)


@contextmanager
def line(link: Path, slaves: Mapping[int, Any], *options: str) -> Iterator[Line]:
    made = Line(link, slaves, *options)
    try:
        yield made
    finally:
        made.close()


class Committed:
    """Waits for what the outbox has committed."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, str, dict[str, Any]]] = []
        self._news = asyncio.Event()

    def observe(self, event: Event) -> None:
        now = time.perf_counter()
        sensor = event.topic.rsplit("/", 1)[1]
        self.seen.append((now, sensor, messages.decode("cp_sensor", event.payload)))
        self._news.set()

    async def until(self, sensor: str, within_s: float, **wanted: Any) -> float:
        """When (perf_counter) a report with these fields was committed."""
        at = 0
        async with asyncio.timeout(within_s):
            while True:
                for when, name, fields in self.seen[at:]:
                    if name == sensor and wanted.items() <= fields.items():
                        return when
                at = len(self.seen)
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def agent(
    folder: Path, toml: str, given: list[Bus] | None = None
) -> AsyncIterator[Committed]:
    """Sensors, buses, reporter and the real outbox."""
    config = loaded(folder, toml)
    outbox, committed = Outbox(folder / "outbox.db"), Committed()
    await outbox.open()
    outbox.watch(committed.observe)
    reporter = Reporter("c371500", "k-07", outbox.accept)
    buses = Buses(config.bus, given or [])
    rooms = [buses.run(), Sensors(config.sensor, buses, reporter).run()]
    tasks = [asyncio.create_task(room) for room in rooms]
    try:
        yield committed
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await outbox.close()


def modbus_bus(port: Path, **more: float) -> str:
    keys = "".join(f"{name} = {value}\n" for name, value in more.items())
    return f'[[bus]]\nname = "rs485"\nkind = "modbus"\nport = "{port}"\n{keys}'


def register(slave: int, every_s: float) -> str:
    return (
        f'[[sensor]]\nid = "s{slave}"\nkind = "modbus"\nbus = "rs485"\nslave = {slave}\n'
        f"function = 4\nevery_s = {every_s}\ndeadband = 1000\nmin_gap_s = 0\n"
    )


async def poll_period(folder: Path, warm_s: float, window_s: float) -> dict[str, float]:
    slaves = {slave: {"input": {0: 200 + slave}} for slave in SLAVES}
    options = ("--baud", str(BAUD), "--turnaround", str(TURNAROUND_S))
    toml = modbus_bus(folder / "tty", timeout_s=TIMEOUT_S, silent_retry_s=RETRY_S)
    toml += "".join(register(slave, 0.02) for slave in SLAVES)
    with line(folder / "tty", slaves, *options) as wire:
        for slave in SILENT:
            wire.do("fault", slave, "silent")
        async with agent(folder, toml):
            await asyncio.sleep(warm_s)  # the silent ones reach their backed-off rate
            before, began = wire.do("counts"), time.perf_counter()
            await asyncio.sleep(window_s)
            after, took = wire.do("counts"), time.perf_counter() - began
    asked = {int(slave): after[slave] - before.get(slave, 0) for slave in after}
    living = [asked[slave] for slave in SLAVES if slave not in SILENT]
    say(f"asked in {took:.1f} s: {asked}")
    cycle = len(living) * (FRAMES_S + SILENCE_S + TURNAROUND_S)
    # Of each second the silent ones take: a request, a time-out, once in RETRY_S and time-out.
    lost = len(SILENT) * (8 * 10 / BAUD + TIMEOUT_S) / (RETRY_S + TIMEOUT_S)
    period, minimum = took / statistics.mean(living), cycle / (1 - lost)
    return {
        "poll_period_s": round(period, 4),
        "poll_period_worst_s": round(took / min(living), 4),
        "bus_minimum_s": round(minimum, 4),
        "ratio": round(period / minimum, 3),
    }


async def edge_to_outbox(folder: Path, edges: int) -> dict[str, float]:
    chip = FakeChip()
    toml = (
        '[[bus]]\nname = "pi"\nkind = "gpio"\n'
        '[[sensor]]\nid = "door"\nkind = "gpio"\nbus = "pi"\nline = 17\ndebounce_ms = 0\n'
        "min_gap_s = 0\nheartbeat_s = 86400\n"
    )
    given: list[Bus] = [GpioBus(GpioSection(name="pi", kind="gpio"), open_chip=chip.open)]
    chance = random.Random(6)
    took: list[float] = []
    async with agent(folder, toml, given) as committed:
        await committed.until("door", 5, value=0)
        for edge in range(edges):
            await asyncio.sleep(chance.uniform(0.002, 0.03))
            committed.seen.clear()
            began = time.perf_counter()
            # From another thread, as an edge comes: not from inside the loop that waits for it.
            threading.Thread(target=chip.set, args=(17, edge % 2)).start()
            value = 1000 * (1 - edge % 2)
            took.append(await committed.until("door", 5, value=value) - began)
    took = sorted(1000 * t for t in took)
    return {
        "p50": round(statistics.median(took), 2),
        "p99": round(took[int(len(took) * 0.99)], 2),
        "n": len(took),
    }


async def replug(folder: Path, times: int) -> float:
    toml = modbus_bus(folder / "tty") + register(3, 1)
    worst = 0.0
    with line(folder / "tty", {3: {"input": {0: 1}}}) as wire:
        async with agent(folder, toml) as committed:
            await committed.until("s3", 5, quality="good")
            for _ in range(times):
                committed.seen.clear()
                wire.do("unplug")
                await committed.until("s3", 5, quality="fault")
                committed.seen.clear()
                wire.do("plug")
                began = time.perf_counter()
                worst = max(worst, await committed.until("s3", 10, quality="good") - began)
    return round(worst, 2)


async def faults(folder: Path, scenarios: tuple[Scenario, ...]) -> dict[str, int]:
    failed: list[str] = []
    for scenario in scenarios:
        place = folder / scenario.__name__
        place.mkdir()
        try:
            async with asyncio.timeout(60):
                await scenario(place)
        except (AssertionError, TimeoutError, OSError) as exc:
            failed.append(scenario.__name__)
            say(f"not survived: {scenario.__name__}: {exc}")
    return {"tried": len(scenarios), "survived": len(scenarios) - len(failed)}


def switches() -> int:
    """Times this process's main thread has been woken."""
    status = Path(f"/proc/self/task/{threading.main_thread().native_id}/status").read_text()
    return int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0])


async def wakeups(folder: Path, window_s: float) -> float:
    chip = FakeChip()
    contacts = "".join(
        f'[[sensor]]\nid = "c{n}"\nkind = "gpio"\nbus = "pi"\nline = {n}\n' for n in range(4)
    )
    toml = (
        modbus_bus(folder / "tty") + register(3, 10) + register(4, 10)
        + '[[bus]]\nname = "pi"\nkind = "gpio"\n' + contacts
        + f'[[bus]]\nname = "line"\nkind = "serial"\nport = "{folder / "radar"}"\n'
        + '[[sensor]]\nid = "radar"\nkind = "serial_line"\nbus = "line"\npattern = "radar"\n'
        + '[[sensor]]\nid = "disk"\nkind = "host"\nwhat = "disk_free"\nevery_s = 10\n'
    )  # fmt: skip
    given: list[Bus] = [GpioBus(GpioSection(name="pi", kind="gpio"), open_chip=chip.open)]
    slaves = {3: {"input": {0: 1}}, 4: {"input": {0: 1}}}
    with line(folder / "tty", slaves), line(folder / "radar", {}):
        async with agent(folder, toml, given) as committed:
            await committed.until("s4", 5, quality="good")
            await asyncio.sleep(1)
            before, began = switches(), time.perf_counter()
            await asyncio.sleep(window_s)
            return round((switches() - before) / (time.perf_counter() - began), 2)


async def measure(*, full: bool) -> dict[str, Any]:
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:

        def place(part: str) -> Path:
            say(part)
            folder = Path(name) / part
            folder.mkdir()
            return folder

        result |= await poll_period(place("poll"), *((25, 60) if full else (3, 3)))
        result["edge_to_outbox_ms"] = await edge_to_outbox(place("edge"), 1000 if full else 50)
        result["replugs"] = 10 if full else 1
        result["replug_recover_s"] = await replug(place("replug"), result["replugs"])
        result["wakeups_per_s"] = await wakeups(place("idle"), 60 if full else 2)
        result["faults"] = await faults(place("faults"), SCENARIOS if full else SCENARIOS[:0])
    return result


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(full="--short" not in sys.argv))))
