"""tuspy without the aiohttp that its other half needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
LOADED = """
import sys
from edge_agent.docks import tus
from tusclient import request
print("aiohttp" in sys.modules, any(name.startswith("aiohttp.") for name in sys.modules))
print(issubclass(request.aiohttp.ClientError, Exception), "aiohttp" in sys.modules)
import aiohttp
print(request.aiohttp.ClientSession is aiohttp.ClientSession)
"""


def test_the_upload_client_costs_no_aiohttp_until_somebody_uses_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'firmware'}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["False False", "True True", "True"]
