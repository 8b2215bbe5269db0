"""The store's power-cut sweep and its wear, on both MicroPython builds. One JSON object, last line.

    powercut  {points, bad, writes: block writes of the story, bad_cases: the first few}
    store     {bytes_per_track, day_5s_kb, budget_kb, erases_per_100_tracks, wear_percent_10y}

`make bench-unit` cuts at every 8th write, `measure({"64": 1})` at each; the gate runs a part.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from tests.fakes.interpreters import BUILDS  # noqa: E402

SUITE = ROOT / "tests/firmware/body_unit"
SCRIPT = """
import json, powercut
points, writes, bad = powercut.sweep({step}, {first})
print(json.dumps({{"points": points, "writes": writes, "bad": bad}}))
"""
WEAR_SCRIPT = "import json, store_wear; print(json.dumps(store_wear.measure()))"


def micropython(build: str, script: str) -> dict:
    """Run a script with the unit's modules and its test helpers; its last line is JSON."""
    done = subprocess.run(
        [BUILDS[build], "-X", "heapsize=64m", "-c", script],
        env={"MICROPYPATH": f"{ROOT}/firmware:{SUITE}:{ROOT}/.venv-unit/lib-unit:.frozen"},
        capture_output=True,
        text=True,
        timeout=900,
    )
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def sweep(build: str, step: int, first: int = 0) -> dict:
    """Cut at every `step`th block write from `first` on."""
    return micropython(build, SCRIPT.format(step=step, first=first))


def measure(steps: dict[str, int]) -> dict:
    """`steps`: per build, every how many writes to cut."""
    parts = [sweep(build, step) for build, step in steps.items()]
    bad = [case for part in parts for case in part["bad"]]
    powercut = {
        "points": sum(part["points"] for part in parts),
        "bad": len(bad),
        "writes": parts[0]["writes"],
        "bad_cases": bad[:5],
    }
    return {"powercut": powercut, "store": micropython("64", WEAR_SCRIPT)}


if __name__ == "__main__":
    missing = [str(path) for path in BUILDS.values() if not path.exists()]
    if missing:
        sys.exit(f"{', '.join(missing)}: not there; run `make setup micropython32`")
    print(json.dumps(measure({"64": 8, "32": 40})))
