"""Metrics as Prometheus reads them, and the watchdog as systemd hears it."""

from __future__ import annotations

import asyncio
import socket
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from edge_agent.event import Event, Klass
from edge_agent.metrics import Metrics
from edge_agent.outbox import Outbox
from edge_agent.section import Address
from edge_agent.uplink import Uplink
from edge_agent.watchdog import Watchdog


async def no_command(topic: str, payload: bytes, retained: bool) -> None:
    """Nothing comes down here."""


async def test_metrics_say_what_waits_and_that_the_county_is_not_reached(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    await outbox.open()
    await outbox.accept(Event("t", b"{}", Klass.TELEMETRY, "u", "0" * 16, 1, at=1.0))
    uplink = Uplink([], outbox, no_command, client_id="k", state=lambda online, n: ("t", b""))
    metrics = Metrics(Address("127.0.0.1", 0), outbox, uplink, lambda: {"published": 3})
    task = asyncio.create_task(metrics.run())
    async with asyncio.timeout(5):
        while not metrics.port:  # noqa: ASYNC110 - once, at the start
            await asyncio.sleep(0.01)
    url = f"http://127.0.0.1:{metrics.port}/metrics"
    text = await asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=5).read().decode())
    assert 'patrol_outbox_records{lane="telemetry"} 1.0' in text
    assert "patrol_sos_delay_seconds NaN" in text
    assert "patrol_uplink_up 0.0" in text
    assert 'patrol_units_total{what="published"} 3.0' in text
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await outbox.close()


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> socket.socket:
    there = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    there.bind(str(tmp_path / "notify"))
    there.settimeout(5)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    return there


async def test_the_watchdog_is_fed_by_commits_and_not_by_the_loop_alone(
    tmp_path: Path, systemd: socket.socket
) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    await outbox.open()
    task = asyncio.create_task(Watchdog(outbox, every_s=0.02).run())
    heard = [await asyncio.to_thread(systemd.recv, 100) for _ in range(3)]
    assert heard == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]

    release = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hang(batch: Any) -> None:
        """A disk that does not come back from its fsync."""
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result(5)

    outbox.recovery.apply = hang  # type: ignore[method-assign]
    await asyncio.sleep(0.1)
    systemd.setblocking(False)
    with pytest.raises(BlockingIOError):
        while True:
            systemd.recv(100)
    await asyncio.sleep(0.2)
    with pytest.raises(BlockingIOError):
        systemd.recv(100)
    release.set()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await outbox.close()
    systemd.close()
