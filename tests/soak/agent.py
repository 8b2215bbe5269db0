"""The whole agent as systemd would start it, to be watched and killed: plain on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

from edge_agent.county.patrolctl import CountyConfig
from edge_agent.county.signer import Signer, keygen
from tests.fakes.mosquitto import free_port

ROOT = Path(__file__).parents[2]
COUNTY, CHECKPOINT = "c371500", "k-07"
HERE = (364561200, 1159853400)  # 1e-7 degree

TOML = """
[checkpoint]
id = "{checkpoint}"
county = "{county}"
name = "十里铺卡点"
lat = 36.4561200
lon = 115.9853400
data_dir = "data"

[[uplink]]
url = "mqtt://127.0.0.1:{broker}"

[units]
listen = "127.0.0.1:{units}"

[commands]
keys = "county-keys/command-keys.json"

[clock]
rtc = true

[alarm]
phones = [{{ name = "县大队值班室", number = "0635 000 0000" }}]

[desk]
listen = "127.0.0.1:{desk}"
"""


class WholeAgent:
    """`start`, `kill` and start again; one port for the page and one for the units, kept."""

    def __init__(self, folder: Path, broker: int) -> None:
        self.folder = folder
        self.desk, self.units = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.desk}"
        keygen(folder / "county-keys", "county-1")
        self.signer = Signer.load(folder / "county-keys")
        self.county = CountyConfig(
            broker=f"mqtt://127.0.0.1:{broker}", county=COUNTY, keys=folder / "county-keys"
        )
        (folder / "agent.toml").write_text(
            TOML.format(
                checkpoint=CHECKPOINT, county=COUNTY, broker=broker, units=self.units,
                desk=self.desk,
            )
        )  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> float:
        """Returns once its page answers: after how many seconds."""
        began = time.monotonic()
        self._process = self._popen()
        while not await asyncio.to_thread(self._answers):
            if self._process.poll() is not None or time.monotonic() - began > 60:
                raise RuntimeError(self.last_words())
            await asyncio.sleep(0.05)
        return time.monotonic() - began

    def _popen(self) -> subprocess.Popen[bytes]:
        with (self.folder / "agent.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "edge_agent.cli", "run", "--log", "warning",
                 "-c", str(self.folder / "agent.toml")],
                cwd=ROOT, stdout=log, stderr=log,
                env={
                    **os.environ, "PYTHONPATH": f"{ROOT}/firmware:{ROOT}",
                    "PYTHONFAULTHANDLER": "1",  # a SIGABRT says where it stands
                },
            )  # fmt: skip

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), urlopen(f"{self.url}/state.json", timeout=2):
            return True
        return False

    def last_words(self) -> str:
        return (self.folder / "agent.log").read_text()[-6000:]

    async def post_mortem(self) -> str:
        """Where each of its threads stood, and what it said: it is ended for that."""
        assert self._process is not None
        about = self._proc("stat").split()  # proc(5)
        spent = sum(map(int, about[13:15])) / os.sysconf("SC_CLK_TCK")
        load = os.getloadavg()[0]
        self._process.send_signal(signal.SIGABRT)
        await asyncio.to_thread(self._process.wait, 30)
        said = f"state {about[2]}, {spent:.1f} s of CPU, machine's load {load:.1f}"
        return f"{said}\n{self.last_words()}"

    def _proc(self, file: str) -> str:
        assert self._process is not None
        return Path(f"/proc/{self._process.pid}/{file}").read_text()

    async def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        await self._end(subprocess.Popen.kill)

    async def stop(self) -> None:
        await self._end(subprocess.Popen.terminate)

    async def _end(self, how: Callable[[subprocess.Popen[bytes]], None]) -> None:
        if self._process is not None and self._process.poll() is None:
            how(self._process)
            await asyncio.to_thread(self._process.wait, 30)

    def rss_mb(self) -> float:
        """Resident memory, MB (proc(5), VmRSS in kB)."""
        return int(self._proc("status").partition("VmRSS:")[2].split()[0]) / 1000

    @property
    def first_code(self) -> str:
        return (self.folder / "data/desk-first-code").read_text().strip()
