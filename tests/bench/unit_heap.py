"""The smallest heap in which the whole unit runs a patrol with every fault, and that it stays so.

The program is what flash.sh puts on a unit, as .mpy in a ROMFS image that lies outside the heap as
in the ESP32's mapped flash (tests/fakes/rom.py). What stands for silicon (firmware/virtual) is C in
the ESP32's flash: on 32 bits it is frozen into the interpreter, on 64 (a wheel) it lies in the
image. Its objects are in the same heap either way. `heap_kb` is all the heap that MicroPython was
given; `heap_kb_virtual` is what of it the stand-ins take by being imported.
Plain TCP: the unix port keeps TLS buffers in this heap, the ESP32 outside it.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench.unit_malformed import CASES
from tests.fakes import routes
from tests.fakes.county import County
from tests.fakes.interpreters import BUILDS, UNIT_BUILDS
from tests.fakes.link import Link
from tests.fakes.mosquitto import Mosquitto
from tests.fakes.rom import Rom
from tests.fakes.unit_process import ROOT, UnitProcess

BLOCK_BYTES = {"64": 32, "32": 16}  # of MicroPython's collector: four words
ON_UNIT = ROOT / "tests/bench/on_unit"
SMALL_FLASH = {"PATROL_FLASH_KB": "160", "PATROL_ERASE_MS": "0"}
STEP_KB = 4
LOWEST_KB, HIGHEST_KB = {"64": 92, "32": 48}, {"64": 132, "32": 72}  # where it is looked for
PLENTY_KB = 1024
PATIENCE_S = 25  # for each thing that must happen; a heap too small mostly ends at once
POINTS = 8  # of the plan that is walked: a village's round


def unit_at(folder: Path, rom: Rom, build: str, heap_kb: int) -> UnitProcess:
    return UnitProcess(
        folder,
        heap=f"{heap_kb}k",
        interpreter=UNIT_BUILDS[build],
        script=rom.start,
        environment={**SMALL_FLASH, **rom.environment(build)},
    )


def patrols(folder: Path, rom: Rom, build: str, heap_kb: int) -> tuple[bool, str]:
    """Whether a patrol with every fault runs through in so much heap, and what the unit printed."""
    with County(folder / "county", tls=False) as county, Link(county.broker.port) as link:
        filler = _filler(folder / "unit")  # first: the far end of the UART must be the unit's own
        unit = unit_at(folder / "unit", rom, build, heap_kb)
        county.equip(unit, link.port)
        unit.broker("nowhere", "no-such-host.invalid", 8883)
        unit.wifi_known("NOWHERE", "password", "nowhere")
        filler.settings = unit.settings
        filler.start()
        filler.wait_exit(60)
        filler.gps.close()
        unit.in_range("NOWHERE", "password")
        unit.start()
        try:
            _patrol(unit, county, link)
        except TimeoutError:
            return False, unit.console()
        finally:
            unit.stop()
        return unit.running() or "Error" not in unit.console(), unit.console()


def _filler(folder: Path) -> UnitProcess:
    """Lays an outage's tracks, up to the last block: an interpreter with room, started once."""
    fill = {**SMALL_FLASH, "PATROL_FILL": "9999"}
    return UnitProcess(folder, environment=fill, script=ON_UNIT / "fill.py")


def _patrol(unit: UnitProcess, county: County, link: Link) -> None:
    _until(unit, county, lambda _: unit.lookups_in_vain(), PATIENCE_S)
    unit.in_range("COUNTY", "password")
    unit.out_of_range("NOWHERE")
    _until(unit, county, lambda c: c.of("unit_state"), PATIENCE_S)
    unit.charger(False)
    route = routes.generate(routes.VILLAGE, int(time.time()), routes.MOTORBIKE)
    for _, (_, sentences) in zip(range(60), route, strict=False):
        unit.feed("".join(sentences).encode())
    here = next(mark for _ in range(20) if "tst" in (mark := _mark(unit, county)))["fix"]
    points = [
        {
            "id": f"p-{number}",
            "desc": f"巡逻点 {number}",
            "lat": here["lat"] + number * 2500,
            "lon": here["lon"],
            "rad": 30,
        }
        for number in range(POINTS)
    ]
    _obeyed(unit, county, county.command(unit.unit, "plan", points=points), "accepted")
    _obeyed(unit, county, county.command(unit.unit, "rollcall", within_s=60), "received")
    unit.press()
    _until(
        unit,
        county,
        lambda c: [ack for ack in c.of("unit_ack") if ack["state"] == "answered"],
        PATIENCE_S,
    )
    link.cut()
    _mark(unit, county)
    for bad in CASES.values():
        link.say(bad)
        _mark(unit, county)
    link.mute()
    _mark(unit, county)
    county.broker.signal(signal.SIGSTOP)
    unit.press()
    time.sleep(3)
    county.broker.signal(signal.SIGCONT)
    _mark(unit, county)
    county.broker.stop(kill=True)
    unit.press()
    time.sleep(0.5)
    county.broker.start()
    unit.hold()
    sos = _until(unit, county, lambda c: c.of("unit_sos"), PATIENCE_S)
    _obeyed(unit, county, county.command(unit.unit, "help", sos=sos[0]["id"]), "accepted")


def _obeyed(unit: UnitProcess, county: County, command: str, state: str) -> None:
    """The unit has answered a command so; a refusal for want of memory counts as no answer."""
    acks = _until(
        unit, county, lambda c: [a for a in c.of("unit_ack") if a["id"] == command], PATIENCE_S
    )
    if acks[0]["state"] != state:
        raise TimeoutError(f"{acks[0]}")


def _mark(unit: UnitProcess, county: County) -> dict[str, Any]:
    count = len(county.of("unit_mark"))
    unit.press()
    _until(unit, county, lambda c: len(c.of("unit_mark")) > count, PATIENCE_S)
    return county.of("unit_mark")[count]


def _until(
    unit: UnitProcess, county: County, condition: Callable[[County], Any], timeout: float
) -> Any:
    """The condition's value; TimeoutError at once when the unit has ended."""
    found = county.wait(lambda c: condition(c) or not unit.running(), timeout)
    if found is True and not unit.running():
        raise TimeoutError("the unit has ended")
    return found


def smallest(folder: Path, rom: Rom, build: str) -> int | None:
    """The smallest heap in KB that passes, by bisection in steps of STEP_KB; None above HIGHEST."""
    low, high = LOWEST_KB[build] // STEP_KB, HIGHEST_KB[build] // STEP_KB
    if not patrols(folder / f"{build}-most", rom, build, HIGHEST_KB[build])[0]:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if patrols(folder / f"{build}-{middle}", rom, build, middle * STEP_KB)[0]:
            high = middle
        else:
            low = middle
    return high * STEP_KB


def watched(folder: Path, build: str) -> dict[str, int]:
    """The same patrol in a heap with room: {"virtual", "largest"}, in bytes."""
    probe = {"heap_probe": ON_UNIT / "heap_probe.py"}
    rom = Rom(folder / f"watched-{build}", before="import heap_probe", beside=probe)
    passed, printed = patrols(folder / f"watched-{build}", rom, build, PLENTY_KB)
    if not passed:
        raise RuntimeError(f"the watched patrol failed: {printed[-500:]}")
    blocks = max(map(int, re.findall(r"max blk sz: (\d+)", printed)))
    (virtual,) = re.findall(r"^virtual (\d+)$", printed, re.M)
    return {
        "virtual": int(virtual),
        "largest": blocks * BLOCK_BYTES[build],
    }


def client_kb(folder: Path, build: str) -> int:
    """The smallest heap in KB in which the client alone connects and publishes, as .mpy."""
    rom = Rom(folder / f"client-{build}", entry=ON_UNIT / "client.py")
    low, high = 0, 128
    with Mosquitto(folder / f"client-{build}/broker") as broker:

        def connects(heap_kb: int) -> tuple[bool, str]:
            done = subprocess.run(
                [BUILDS[build], "-X", f"heapsize={heap_kb}k", rom.start, str(broker.port)],
                env={**os.environ, **rom.environment(build)},
                cwd=folder,
                capture_output=True,
                text=True,
            )
            return done.returncode == 0 and done.stdout.strip() == "50", done.stderr

        passed, said = connects(high)
        if not passed:
            raise RuntimeError(f"the client fails even in {high} KB: {said[-300:]}")
        while high - low > 1:
            middle = (low + high) // 2
            if connects(middle)[0]:
                high = middle
            else:
                low = middle
    return high


def day(build: str) -> dict[str, int]:
    """Heap in use of core and parser over a simulated day: {"bytes", "growth_24h"}."""
    path = f"{ROOT}/firmware:{ROOT}/.venv-unit/lib-unit:.frozen"
    done = subprocess.run(
        [BUILDS[build], "-X", "heapsize=4m", ON_UNIT / "day.py"],
        env={"MICROPYPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    used = json.loads(done.stdout.splitlines()[-1])
    # The first hours fill what is filled once: ring buffers, interned names.
    settled = used[2:]
    return {"bytes": used[-1], "growth_24h": max(settled) - min(settled)}


def measure(folder: Path) -> dict[str, Any]:
    """heap_kb, heap_kb_virtual, largest_block_bytes, client_heap_kb, heap_day; each by build."""
    rom = Rom(folder / "rom")
    with ThreadPoolExecutor(2 * len(BUILDS)) as pool:  # a patrol mostly waits
        heaps = pool.map(partial(smallest, folder, rom), BUILDS)
        seen = list(pool.map(partial(watched, folder), BUILDS))
    return {
        "heap_kb": dict(zip(BUILDS, heaps, strict=True)),
        "heap_kb_virtual": {
            build: found["virtual"] // 1024 for build, found in zip(BUILDS, seen, strict=True)
        },
        "largest_block_bytes": {
            build: found["largest"] for build, found in zip(BUILDS, seen, strict=True)
        },
        "client_heap_kb": {build: client_kb(folder, build) for build in BUILDS},
        "heap_day": {build: day(build) for build in BUILDS},
    }
