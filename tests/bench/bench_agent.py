"""`make bench-agent`: the agent's heart measured beside its peers ; about 9 minutes.

Everything runs on loopback. What the keys mean is in the modules that measure them: agent_kills,
agent_line, agent_store, agent_endpoint, agent_peers. One JSON object on the last line.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "firmware")]

from tests.bench.agent_endpoint import endpoint_bench  # noqa: E402
from tests.bench.agent_kills import broker_kill9, kill9  # noqa: E402
from tests.bench.agent_line import (  # noqa: E402
    bridge_sos_ms,
    half_open_detect_s,
    never_ack,
    sos_bench,
)
from tests.bench.agent_peers import thingsboard  # noqa: E402
from tests.bench.agent_store import (  # noqa: E402
    idle_latency_ms,
    outage,
    rate_bench,
    unsynced_writes,
)


async def part(name: str, work: Coroutine[Any, Any, Any]) -> Any:
    """Run one part and say how long it took."""
    began = time.monotonic()
    print(f"{name} …", flush=True)
    result = await work
    print(f"{name}: {time.monotonic() - began:.0f} s: {json.dumps(result)}", flush=True)
    return result


async def bench(folder: Path) -> dict[str, Any]:
    """Parts that load the processor run alone, those that wait for a slow line run together."""
    found: dict[str, Any] = {}
    found.update(await part("rate", rate_bench(folder / "rate", 20000)))
    found["idle_accept_ms"] = await part("idle", idle_latency_ms(folder))
    line, found["mosquitto_bridge_sos_ms"], found["half_open_detect_s"] = await asyncio.gather(
        part("sos over the slow line", sos_bench(folder / "sos", 300)),
        part("mosquitto's bridge", bridge_sos_ms(folder / "bridge")),
        part("half-open line", half_open_detect_s(folder / "half-open")),
    )
    found.update(line)
    found["kill9"] = await part("kill -9", kill9(folder / "kills", 200))
    found["broker_kill9"], found["unsynced_writes"], found["never_ack"] = await asyncio.gather(
        part("county broker stopped", broker_kill9(folder / "broker", 20, 6)),
        part("unsynced writes", unsynced_writes(folder / "unsynced", 50)),
        part("never acknowledged", never_ack(folder / "never", 60)),
    )
    found["outage"] = await part("72 h outage", outage(folder / "outage", 1.0, 10e6, 180))
    found["endpoint"] = await part("endpoint", endpoint_bench(folder / "endpoint", 20000))
    found["thingsboard"] = await part("thingsboard-gateway", thingsboard(folder / "tb", 12))
    return found


def main() -> None:
    logging.disable(logging.CRITICAL)  # refused and quarantined packets are what is measured
    with tempfile.TemporaryDirectory(prefix="bench-agent-") as folder:
        print(json.dumps(asyncio.run(bench(Path(folder)))))


if __name__ == "__main__":
    main()
