"""A checkpoint's docks for the length of a scenario, and the audit that each one ends with."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import bagit

from edge_agent.docks import box, custody, ingest, relay, room
from edge_agent.docks.config import Bay, DocksConfig
from edge_agent.docks.docks import Docks
from edge_agent.docks.ledger import Ledger
from edge_agent.docks.states import NEEDS_CAMERA, ON_DISK, RECORDING, State
from tests.fakes.cameras import Camera, Reporter, until

MIB = 1024 * 1024

box.HOUSEKEEPING_S = box.POLL_S = 0.2  # nobody waits for a test's dock
room.WAIT_S = (0.2, 1.0)
ingest.YANK_NOTICE_S = 0.5


class Rig:
    """Bays 1 to `bays` are directories; chunks of 1 MiB. `reporter` outlives restarts."""

    def __init__(self, folder: Path, bays: int = 2, **config: Any) -> None:
        self.folder = folder
        self.aside = folder / "aside"
        self.reporter = Reporter()
        folder.mkdir(parents=True, exist_ok=True)
        defaults: dict[str, Any] = {
            "store": folder / "store",
            "bay": tuple(Bay(number=n, directory=self.bay(n)) for n in range(1, bays + 1)),
            "chunk_mb": 1,
            "free_low_mb": 0,
            "free_high_mb": 0,
        }
        self.config = DocksConfig(**{**defaults, **config})

    def bay(self, number: int) -> Path:
        return self.folder / f"bay-{number}"

    def camera(self, serial: str, **files: Any) -> Camera:
        return Camera(self.aside, serial, **files)

    @asynccontextmanager
    async def running(self, **more: Any) -> AsyncGenerator[Docks]:
        docks = Docks(self.config, self.reporter, checkpoint="k-07", **more)
        task = asyncio.create_task(docks.run())
        try:
            yield docks
            assert not task.done(), "docks stopped by themselves"
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            if docks.is_open:
                docks.ledger.close()

    async def all_sealed(self, docks: Docks, *cameras: Camera, within_s: float = 20.0) -> None:
        """Every file of the cameras is announced and its docking bagged."""
        want = Counter(d for camera in cameras for d in camera.digest_list())
        await until(lambda: not want - Counter(sealed(docks.ledger)), within_s)
        await until(lambda: not docks.ledger.recordings("state = ?", State.SEALED), within_s)
        await until(lambda: all_bagged(docks.ledger), within_s)

    def audit(self, *cameras: Camera) -> None:
        """What must be true whatever happened: see `audit`."""
        audit(self.config.store, cameras, self.reporter.sent)


def sealed(ledger: Ledger) -> list[str]:
    return [row.sha256 or "" for row in ledger.recordings() if row.state in ON_DISK]


def all_bagged(ledger: Ledger) -> bool:
    for docking in ledger.dockings():
        if docking.bagged != sum(row.state in ON_DISK for row in ledger.of(docking)):
            return False
    return True


def audit(store: Path, cameras: Iterable[Camera], sent: list[dict[str, Any]]) -> None:
    """AssertionError unless recordings, journal, bags and announcements all agree.

    - each file of each camera is sealed exactly once, with the bytes the camera holds
    - the journal is whole and signed, and spells a way through the table for each recording
    - each row that travels was announced, and one entry never with two contents
    - every bag is valid for the stock bagit, and incoming/ holds nothing that is finished
    """
    key = custody.load_key(store / "custody.key")
    ledger = Ledger(store / "ledger.db", key)
    try:
        verdict = custody.verify(ledger.db, [key.public_key()])
        assert verdict.fault is None, verdict.fault
        _steps_are_in_the_table(ledger)
        _announced_once(ledger, sent)
        files: Counter[str] = Counter()
        for row in ledger.recordings():
            if row.state in ON_DISK:
                assert row.file
                content = (store / "bags" / row.file).read_bytes()
                assert hashlib.sha256(content).hexdigest() == row.sha256, row.file
                files[row.sha256 or ""] += 1
        want = Counter(d for camera in cameras for d in camera.digest_list())
        assert files == want, f"sealed {len(files)} of {len(want)}"
        unfinished = {row.id for row in ledger.recordings() if row.state in NEEDS_CAMERA}
    finally:
        ledger.close()
    for bag in (store / "bags").iterdir():
        try:
            bagit.Bag(str(bag)).validate(processes=1)
        except bagit.BagError as error:
            raise AssertionError(f"{bag.name}: {error}") from error
    assert not {path.stem for path in (store / "incoming").iterdir()} - unfinished


def _steps_are_in_the_table(ledger: Ledger) -> None:
    edges = {(old, new) for (old, _), new in RECORDING.items()}
    now: dict[str, str] = {}
    for row in ledger.journal():
        if row.recording and json.loads(row.detail).get("state"):
            old = now.get(row.recording)
            fits = (old, row.kind) in edges if old else row.kind == State.INVENTORIED
            assert fits, f"row {row.n}: {old} -> {row.kind}: an event is lost or doubled"
            now[row.recording] = row.kind
    assert now == {row.id: row.state for row in ledger.recordings()}


def _announced_once(ledger: Ledger, sent: list[dict[str, Any]]) -> None:
    said: dict[int, dict[str, Any]] = {}
    for message in sent:
        before = said.setdefault(message["entry"], message)
        assert before["chain"] == message["chain"], f"entry {message['entry']} has two contents"
    for row in ledger.journal():
        assert row.n not in said or said[row.n]["chain"] == row.hash.hex()
        recording = ledger.get(row.recording) if row.recording else None
        if row.n <= ledger.relayed() and relay.fields(row, recording):
            assert row.n in said, f"row {row.n} {row.kind} was never announced"


def unsealed(docks: Docks) -> list[State]:
    return [row.state for row in docks.ledger.recordings() if row.state in NEEDS_CAMERA]
