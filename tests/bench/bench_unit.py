"""`make bench-unit`: the body unit under everything that broke other clients, <= 10 min.

Real MicroPython (64-bit, and 32-bit with single floats), the whole firmware on virtual hardware,
real mosquitto on loopback, ended by its pid. One JSON object on the last line. A part that breaks
is named in `broken` with its reason, and the exit code is 1.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "firmware")]

from tests.bench import (  # noqa: E402
    unit_faults,
    unit_gps,
    unit_heap,
    unit_kills,
    unit_malformed,
    unit_powercut,
    unit_rate,
    unit_sos,
)

Part = Callable[[Path], dict[str, Any]]
# These measure time, so they run one after the other …
TIMED: dict[str, Part] = {
    "rate": unit_rate.measure,
    "faults": lambda folder: unit_faults.measure(folder, True),
    "malformed": unit_malformed.measure,
    "sos": unit_sos.measure,
    "kills": unit_kills.measure,
}
# … and these only whether something holds, so they share the machine.
OTHERS: dict[str, Part] = {
    "heap": unit_heap.measure,
    "powercut": lambda _: unit_powercut.measure({"64": 4, "32": 20}),
    "gps": lambda _: unit_gps.measure(),
}


PARTS = {**TIMED, **OTHERS}


def main() -> int:
    found: dict[str, Any] = {}
    broken: dict[str, str] = {}
    began = time.monotonic()

    def measure(name: str) -> None:
        part_began = time.monotonic()
        try:
            found.update(PARTS[name](Path(folder) / name))
        except Exception as fault:  # whatever it is, the other parts are still measured
            broken[name] = f"{type(fault).__name__}: {fault}"[:500]
        print(f"{name}: {time.monotonic() - part_began:.0f} s", file=sys.stderr)

    wanted = sys.argv[1:] or list(PARTS)
    with tempfile.TemporaryDirectory(prefix="bench-unit-") as folder:
        for name in wanted:
            if name in TIMED:
                measure(name)
        with ThreadPoolExecutor(len(OTHERS)) as pool:
            list(pool.map(measure, [name for name in wanted if name in OTHERS]))
    if broken:
        found["broken"] = broken
    found["bench_s"] = round(time.monotonic() - began)
    print(json.dumps(found))
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
