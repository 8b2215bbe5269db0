"""`heap_kb`: the smallest heap in which the whole core walks a patrol, loaded as .mpy."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from toy_county import KID, MODULUS, County
from unit_rig import BOOT, LAT, LON, NOW

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / ".venv-unit/bin"
BUILDS = {
    "64": UNIT / "micropython",
    "32": Path(
        os.environ.get("MICROPYTHON32", Path.home() / ".cache/patrol-micropython32/micropython")
    ),
}
PROBE = Path(__file__).with_name("duty_heap_probe.py")
# What the core imports: GPS and store have heaps of their own in bench-unit.
POINTS = 32  # the longest plan
NOT_CORE = ("gps", "store", "events")
OFF_THE_UNIT = (
    "examples",
    "consumer",
    "catalogue",
    "rows_checkpoint",
    "commands_checkpoint",
    "mqtt",
)


def compiled(folder: Path) -> Path:
    """The core and the contract as .mpy, as flash.sh puts them on a unit."""
    for package in ("body_unit", "patrol_contract"):
        (folder / package).mkdir()
        for source in (ROOT / "firmware" / package).glob("*.py"):
            left_out = NOT_CORE if package == "body_unit" else OFF_THE_UNIT
            if source.stem.startswith(left_out):
                continue
            compile_one(source, folder / package / (source.stem + ".mpy"))
    (folder / "orders.py").write_text(orders())
    compile_one(folder / "orders.py", folder / "orders.mpy")
    (folder / "orders.py").unlink()
    return folder


def orders() -> str:
    """A module with what the toy county sends: {second of the patrol: payload}."""
    county = County()
    points = [
        {"id": f"p-{i}", "desc": f"巡逻点 {i}", "lat": LAT + i * 2500, "lon": LON, "rad": 12}
        for i in range(POINTS)
    ]
    sent = {
        5: county.command("u-0123", "plan", NOW, points=points),
        60: county.command("u-0123", "rollcall", NOW, within_s=60),
        # the first SOS of a boot has the boot's number plus one
        400: county.command(
            "u-0123", "sos_close", NOW, valid_s=900, sos=f"{int(BOOT, 16) + 1:016x}"
        ),
    }
    payloads = {second: payload for second, (_, payload) in sent.items()}
    return f"POINTS = {POINTS}\nKID = {KID!r}\nMODULUS = {MODULUS!r}\nAT = {payloads!r}\n"


def compile_one(source: Path, target: Path) -> None:
    subprocess.run([UNIT / "mpy-cross", "-O2", "-o", target, source], check=True)


def measure() -> dict[str, dict[str, int]]:
    """{"64": {core_kb, loaded_kb, kept_kb}, "32": …} for the builds that are there."""
    folder = Path(tempfile.mkdtemp(prefix="core-mpy-"))
    try:
        path = compiled(folder)
        return {
            name: smallest(command, path) for name, command in BUILDS.items() if command.exists()
        }
    finally:
        shutil.rmtree(folder)


def smallest(command: Path, path: Path) -> dict[str, int]:
    low, high = 8, 512  # kB; the patrol fails in the first and runs in the second
    best = run(command, path, high)
    if best is None:
        raise RuntimeError(f"{command}: the patrol fails even in {high} kB")
    while high - low > 1:
        middle = (low + high) // 2
        if run(command, path, middle) is None:
            low = middle
        else:
            high = middle
    return {"core_kb": high, "loaded_kb": best[0] // 1024, "kept_kb": best[1] // 1024}


def run(command: Path, path: Path, kilobytes: int) -> list[int] | None:
    """What the probe printed, or None when the heap was too small."""
    done = subprocess.run(
        [command, "-X", f"heapsize={kilobytes}k", PROBE, "patrol"],
        env={"MICROPYPATH": f"{path}:.frozen"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode:
        if "MemoryError" in done.stderr + done.stdout or not done.stdout.strip():
            return None
        raise RuntimeError(done.stdout + done.stderr)
    return [int(word) for word in done.stdout.split()]
