"""QoS 1 publishes a second of the unit's client, beside a bare socket with the same packets."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from tests.fakes.interpreters import BUILDS
from tests.fakes.mosquitto import Mosquitto
from tests.fakes.unit_process import ROOT

SCRIPT = ROOT / "tests/bench/on_unit/rate.py"


def rate(build: str, port: int, count: int, how: str) -> int:
    """how: "client" (drivers.mqtt, 32 in flight) or "raw"; messages a second."""
    done = subprocess.run(
        [BUILDS[build], "-X", "heapsize=4m", SCRIPT, str(port), str(count), how],
        env={"MICROPYPATH": f"{ROOT}/firmware:.frozen"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return int(done.stdout)


def measure(folder: Path, count: int = 40_000) -> dict[str, Any]:
    """{"qos1_per_s_32", "raw_per_s_32", "qos1_ratio_32", "qos1_per_s_64"}: medians of three."""
    with Mosquitto(folder) as broker:
        three = [(rate("32", broker.port, count, "client"), rate("32", broker.port, count, "raw"))]
        for _ in range(2):
            three.append(
                (rate("32", broker.port, count, "client"), rate("32", broker.port, count, "raw"))
            )
        wide = rate("64", broker.port, count, "client")
    client, raw = (sorted(column)[1] for column in zip(*three, strict=True))
    return {
        "qos1_per_s_32": client,
        "raw_per_s_32": raw,
        "qos1_ratio_32": round(client / raw, 2),
        "qos1_per_s_64": wide,
    }
