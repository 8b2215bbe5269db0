"""Power cuts at every step boundary, and SIGKILL at any moment.

A power cut is a copy of the disk: the store lies on a loop image, and after each step that reaches
the disk (fdatasync, fsync, rename, commit) the image is copied. A copy holds what the file system
had handed to the device, and nothing of what waited in its caches. Each copy is then mounted, the
dock started on it, the camera docked: everything must come out right, and nothing that had been
announced by then may be missing. Without root or loop devices the store is a folder, and a cut is a
copy of the folder: weaker, because it holds what was never synced.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_agent.docks import release
from edge_agent.docks.docks import Docks
from edge_agent.docks.ledger import Ledger
from edge_agent.docks.states import State, Step
from tests.edge_agent.docks.rig import MIB, Rig, all_bagged
from tests.fakes import disk_images
from tests.fakes.cameras import until
from tests.fakes.disk_images import Image

FILES = {b"DCIM/A.mp4": 2 * MIB + 333, b"DCIM/B.mp4": 40_000, b"DCIM/empty.mp4": 0}
PACKAGE = str(Path(__file__).parents[3] / "edge_agent/docks")


@dataclass
class Cut:
    """One copy of the disk, and what the outbox had by then."""

    step: str
    image: Path
    sent: list[dict[str, Any]]


async def record_cuts(folder: Path) -> list[Cut]:
    """Play a docking and what becomes of it: uploaded, confirmed, released, one evicted. A copy at
    each boundary, in order; the first is before the camera comes."""
    rig = Rig(folder)
    camera = rig.camera("CAM001", files=FILES)
    cuts: list[Cut] = []
    copies = folder / "copies"
    copies.mkdir()
    with _disk(folder / "store.img", rig.config.store) as copy:

        def boundary(step: str) -> None:
            image = copies / f"{len(cuts):04d}"
            copy(image)
            cuts.append(Cut(step, image, list(rig.reporter.sent)))

        with _watched(boundary):
            async with rig.running() as docks:
                camera.dock(rig.bay(1))
                await rig.all_sealed(docks, camera, within_s=60)
                await asyncio.to_thread(_to_the_end, docks)
                await until(lambda: all_bagged(docks.ledger), 60)
    return cuts


def _to_the_end(docks: Docks) -> None:
    for row in docks.ledger.recordings():
        docks.ledger.advance(row.id, Step.UPLOAD, {"url": "http://county.example/1"})
        release.confirm(docks.ledger, {"file": row.file, "sha256": row.sha256})
    docks.space.evict(docks.ledger.recordings()[0])


async def survive(cut: Cut, folder: Path) -> None:
    """Start on a copy of the disk as it was at the cut; AssertionError if anything is wrong."""
    rig = Rig(folder)
    camera = rig.camera("CAM001", files=FILES)
    rig.reporter.sent = list(cut.sent)
    with _disk(cut.image, rig.config.store):
        async with rig.running() as docks:
            for row in docks.ledger.recordings("state = ?", State.EVICTED):
                del camera.files[row.path]  # still on the camera, and never copied again
            camera.dock(rig.bay(2))
            await rig.all_sealed(docks, camera, within_s=30)
            await until(lambda: not docks.ledger.recordings("state = ?", State.COUNTY_CONFIRMED))
            await until(lambda: docks.view()[1]["light"] == "done")
        rig.audit(camera)


@contextmanager
def _disk(image: Path, at: Path) -> Generator[Callable[[Path], None]]:
    """The store's disk; yields what copies it to a path that can be given as `image` again."""
    if disk_images.available() is None:
        with Image(image, "ext4", 32) as disk:
            disk.mount(at)
            yield disk.copy
        return
    if image.exists():
        shutil.copytree(image, at)
    else:
        at.mkdir(parents=True)
    yield lambda to: _copy_folder(at, to)


def _copy_folder(at: Path, to: Path) -> None:
    """A database may be copied between two of its pages: then it is no cut, take another copy."""
    shutil.copytree(at, to, ignore=shutil.ignore_patterns("*-shm"))


@contextmanager
def _watched(boundary: Callable[[str], None]) -> Generator[None]:
    """Call `boundary` after each step of the docks that reaches the disk, one step at a time."""
    one_at_a_time = threading.RLock()
    real = {name: getattr(os, name) for name in ("fdatasync", "fsync", "rename", "replace")}
    transaction = Ledger.transaction

    def after(name: str) -> Callable[..., Any]:
        def step(*args: Any, **kwargs: Any) -> Any:
            caller = sys._getframe(1).f_code
            with one_at_a_time:
                result = real[name](*args, **kwargs)
                if caller.co_filename.startswith(PACKAGE) or name in ("rename", "replace"):
                    boundary(f"{name} in {Path(caller.co_filename).stem}.{caller.co_name}")
            return result

        return step

    @contextmanager
    def committed(self: Ledger) -> Generator[Any]:
        with one_at_a_time:
            with transaction(self) as db:
                yield db
            boundary("commit")

    for name in real:
        setattr(os, name, after(name))
    Ledger.transaction = committed  # type: ignore[method-assign]
    try:
        yield
    finally:
        for name, function in real.items():
            setattr(os, name, function)
        Ledger.transaction = transaction  # type: ignore[method-assign]


# --- SIGKILL


@dataclass
class Killed:
    """kills: processes killed while they worked; wrong: trials whose audit failed, and why."""

    kills: int
    wrong: list[str]


async def kill9(folder: Path, kills: int, seed: int) -> Killed:
    """Start docks in a process of their own, kill it at random moments, until `kills` were."""
    chance = random.Random(seed)
    done, wrong, trial = 0, list[str](), 0
    while done < kills:
        trial += 1
        place = folder / f"trial-{trial:04d}"
        rig = Rig(place)
        camera = rig.camera("CAM001", files={b"DCIM/A.mp4": 3 * MIB + 1, b"DCIM/B.mp4": MIB})
        camera.dock(rig.bay(1))
        for _ in range(min(chance.randint(1, 3), kills - done)):
            done += _start_and_kill(place, chance.uniform(0.0, 0.6))
        rig.reporter.sent = _sent(place)
        try:
            async with rig.running() as docks:
                await rig.all_sealed(docks, camera, within_s=30)
            rig.audit(camera)
        except Exception as error:  # one that breaks is as wrong as one that finds something
            wrong.append(f"trial {trial} of seed {seed}: {error!r}")
        else:
            shutil.rmtree(place)
    return Killed(done, wrong)


def _start_and_kill(place: Path, after_s: float) -> int:
    """1 when the killed process had work under way; a kill that came too late does not count."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.edge_agent.docks.child", str(place)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=Path(__file__).parents[3],
    )
    assert child.stdout
    child.stdout.readline()  # it runs
    time.sleep(after_s)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    return 0 if _finished(place) else 1


def _finished(place: Path) -> bool:
    """Both recordings announced and in a bag: there was nothing left to interrupt."""
    with closing(sqlite3.connect(place / "store/ledger.db")) as db:
        try:
            announced = db.execute("SELECT count(*) FROM recording WHERE state = 'ANNOUNCED'")
            bagged = db.execute("SELECT sum(bagged) FROM docking")
            return announced.fetchone()[0] == 2 and bagged.fetchone()[0] == 2
        except sqlite3.OperationalError:  # no table yet
            return False


def _sent(place: Path) -> list[dict[str, Any]]:
    """What the child's outbox had taken; a last line that was cut in two was not taken."""
    path = place / "sent.jsonl"
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    return [json.loads(line) for line in lines]
