"""Docks in a process of their own: `python -m tests.edge_agent.docks.child FOLDER [BAYS CHUNK_MB
[URL]]`: the URL is a tus server's.

Prints a line once they run. Each report is appended to FOLDER/sent.jsonl: a write that a SIGKILL
cannot take back, so the file stands for the outbox. Ends by signal; SIGTERM prints the peak memory.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_agent.docks.config import Bay, DocksConfig, Upload
from edge_agent.docks.docks import Docks


class Journal:
    """A reporter that appends to a file."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def report(
        self, name: str, who: Mapping[str, str], fields: Mapping[str, Any], /
    ) -> object:
        os.write(self._fd, (json.dumps({"B": who["B"], **fields}) + "\n").encode())
        return None


async def main(folder: Path, bays: int = 2, chunk_mb: int = 1, url: str | None = None) -> None:
    places = tuple(Bay(number=n, directory=folder / f"bay-{n}") for n in range(1, bays + 1))
    config = DocksConfig(
        store=folder / "store",
        bay=places,
        chunk_mb=chunk_mb,
        free_low_mb=0,
        free_high_mb=0,
        upload=Upload(url=url, kbit_s=50_000) if url else None,
    )
    docks = Docks(config, Journal(folder / "sent.jsonl"), checkpoint="k-07")
    task = asyncio.create_task(docks.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    print("running", flush=True)
    await asyncio.gather(task, return_exceptions=True)


def peak_kb() -> str:
    """Peak resident memory; getrusage would count the parent's, from before exec."""
    status = Path("/proc/self/status").read_text()
    return next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *map(int, sys.argv[2:4]), *sys.argv[4:]))
    print(peak_kb())
