"""`make bench-dock`: everything that must be survived, and how fast and how large the docks are.

Prints what it does as it goes, and one JSON object as its last line:
wrong               failures over all parts; anything but 0 is a broken promise
kill9               {trials, wrong}: SIGKILLs that interrupted work
powercut            {points, wrong}: copies of the disk, one at each step that reaches it
faults              {tried, survived}: scenarios of tests/edge_agent/docks
ingest_MBps, baseline_MBps, ratio   of the same files, alternating, medians of 5; baseline is
                    cp + sync + sha256sum. Ingest includes the cold read-back, seal and bag.
redock_s            seconds until the same files, known already, are done again: sampled, whole
memory_mb           peak resident memory of a process whose eight bays ingest while it uploads to a
                    real tus server; memory_idle_upload_mb the same without an upload server
on                  "images" (root, loop devices) or "directories"
"""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "firmware")]

from tests.edge_agent.docks import cuts  # noqa: E402
from tests.edge_agent.docks.box_scenarios import BOX_SCENARIOS  # noqa: E402
from tests.edge_agent.docks.full_scenarios import FULL_SCENARIOS  # noqa: E402
from tests.edge_agent.docks.image_scenarios import IMAGE_SCENARIOS  # noqa: E402
from tests.edge_agent.docks.journal_scenarios import JOURNAL_SCENARIOS  # noqa: E402
from tests.edge_agent.docks.redock_scenarios import REDOCK_SCENARIOS  # noqa: E402
from tests.edge_agent.docks.rig import MIB, Rig  # noqa: E402
from tests.edge_agent.docks.scenarios import CAMERA_SCENARIOS, Scenario  # noqa: E402
from tests.edge_agent.docks.upload_scenarios import UPLOAD_SCENARIOS  # noqa: E402
from tests.fakes import disk_images  # noqa: E402
from tests.fakes.cameras import Camera, until  # noqa: E402
from tests.fakes.tus_server import TusServer  # noqa: E402

KILLS = 120
SEED = 20260804
ROUNDS = 5
FILES = {b"DCIM/%d.mp4" % n: 64 * MIB + n for n in range(6)}
BAYS = 8


def say(text: str) -> None:
    print(text, flush=True)


async def faults(folder: Path) -> tuple[int, list[str]]:
    """(how many were tried, what failed)."""
    scenarios: tuple[Scenario, ...] = (
        *CAMERA_SCENARIOS,
        *REDOCK_SCENARIOS,
        *BOX_SCENARIOS,
        *UPLOAD_SCENARIOS,
        *JOURNAL_SCENARIOS,
    )
    if disk_images.available() is None:
        scenarios += (*IMAGE_SCENARIOS, *FULL_SCENARIOS)
    else:
        say(f"no image scenarios: {disk_images.available()}")
    failed: list[str] = []
    for scenario in scenarios:
        place = folder / scenario.__name__
        place.mkdir(parents=True)
        try:
            await scenario(place)
            say(f"  survived  {scenario.__name__}")
        except Exception as error:  # one that breaks is as wrong as one that finds something
            failed.append(f"{scenario.__name__}: {error!r}")
            say(f"  FAILED    {failed[-1]}")
    return len(scenarios), failed


async def power_cuts(folder: Path) -> tuple[int, list[str]]:
    points = await cuts.record_cuts(folder / "play")
    failed: list[str] = []
    for n, cut in enumerate(points):
        try:
            await cuts.survive(cut, folder / f"after-{n}")
        except Exception as error:  # likewise
            failed.append(f"point {n} ({cut.step}): {error!r}")
            say(f"  FAILED    {failed[-1]}")
        shutil.rmtree(folder / f"after-{n}", ignore_errors=True)
        cut.image.unlink() if cut.image.is_file() else shutil.rmtree(cut.image)
    return len(points), failed


def throughput(folder: Path) -> tuple[list[float], list[float]]:
    """MB/s of ingest and of the baseline, turn by turn on the same files."""
    camera = Camera(folder / "aside", "CAM001", FILES)
    size = sum(map(len, camera.files.values()))
    camera.files = {path: b"" for path in camera.files}
    ours: list[float] = []
    theirs: list[float] = []
    for n in range(ROUNDS):
        subprocess.run(["sync"], check=True)
        copy = folder / "baseline"
        began = time.monotonic()
        command = f"cp -r '{camera.place}' '{copy}' && sync && sha256sum '{copy}'/DCIM/*"
        subprocess.run(["bash", "-c", command], check=True, stdout=subprocess.DEVNULL)
        theirs.append(size / 1e6 / (time.monotonic() - began))
        shutil.rmtree(copy)
        subprocess.run(["sync"], check=True)
        ours.append(size / 1e6 / asyncio.run(_ingest(folder / f"round-{n}", camera)))
        shutil.rmtree(folder / f"round-{n}")
    return ours, theirs


async def _ingest(folder: Path, camera: Camera) -> float:
    """Seconds from docked to the last file sealed and on disk."""
    rig = Rig(folder, chunk_mb=8)
    async with rig.running():
        began = time.monotonic()
        camera.dock(rig.bay(1))
        await until(lambda: len(rig.reporter.events("SEALED")) == len(FILES), 300)
        took = time.monotonic() - began
        camera.pull()
    return took


def redock(folder: Path) -> dict[str, float]:
    """Seconds until a known camera that is docked again is done, by how it is compared."""
    took: dict[str, float] = {}
    for how in ("sampled", "whole"):
        camera = Camera(folder / f"aside-{how}", "CAM001", FILES)
        camera.files = {path: b"" for path in camera.files}
        took[how] = round(asyncio.run(_redock(folder / how, camera, how)), 2)
        shutil.rmtree(folder / how)
    return took


async def _redock(folder: Path, camera: Camera, how: str) -> float:
    rig = Rig(folder, chunk_mb=8, redock=how)
    async with rig.running() as docks:

        def shows(light: str) -> bool:
            return docks.view()[0]["light"] == light

        camera.dock(rig.bay(1))
        await until(lambda: shows("done"), 300)
        camera.pull()
        await until(lambda: shows("empty"))
        began = time.monotonic()
        camera.dock(rig.bay(1))
        await until(lambda: shows("done"), 300)
        took = time.monotonic() - began
        assert len(rig.reporter.events("SEALED")) == len(FILES), "copied again"
        camera.pull()
    return took


def memory(folder: Path, server: TusServer | None = None) -> float:
    """Peak MB of a process whose eight bays ingest at once, in the middle of an upload."""
    folder.mkdir()
    child = subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.edge_agent.docks.child", folder, str(BAYS), "8"),
            *([server.url] if server else []),
        ],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'firmware'}", "PATH": "/usr/bin:/bin"},
    )
    assert child.stdout
    told = folder / "sent.jsonl"

    def said(event: str) -> int:
        return told.read_text().count(f'"{event}"') if told.exists() else 0

    def sent() -> int:
        return sum(path.stat().st_size for path in server.files()) if server else 0

    try:
        first = Camera(folder / "aside", "FIRST", {b"DCIM/A.mp4": 96 * MIB})
        first.dock(folder / "bay-1")
        _wait(lambda: said("SEALED") == 1 and (not server or sent() > 0), "the first upload")
        first.pull()
        _wait(lambda: said("EMPTY") == 1, "an empty bay")
        before = sent()
        for n in range(1, BAYS + 1):
            Camera(folder / "aside", f"CAM{n:03d}", {b"DCIM/A.mp4": 48 * MIB}).dock(
                folder / f"bay-{n}"
            )
        _wait(lambda: said("SEALED") == 1 + BAYS, "eight bays")
        assert not server or before < sent() < 96 * MIB, "nothing was uploaded during the ingest"
    except AssertionError:
        child.kill()
        child.wait()
        raise
    child.terminate()
    out, _ = child.communicate(timeout=30)
    return int(out.split()[-1]) / 1024


def _wait(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 120
    while not true():
        assert time.monotonic() < deadline, f"{what}: not within 120 s"
        time.sleep(0.05)


def main() -> int:
    logging.disable()  # every scenario makes the docks complain, as it should
    with tempfile.TemporaryDirectory(prefix="bench-dock-") as name:
        folder = Path(name)
        say("faults:")
        tried, failed = asyncio.run(faults(folder / "faults"))
        say("power cuts:")
        points, cut_wrong = asyncio.run(power_cuts(folder / "cuts"))
        say(f"  {points} points")
        say("SIGKILL:")
        killed = asyncio.run(cuts.kill9(folder / "kill9", KILLS, SEED))
        say(f"  {killed.kills} kills, {killed.wrong}")
        say("throughput and memory:")
        ours, theirs = throughput(folder / "speed")
        again = redock(folder / "redock")
        alone = memory(folder / "memory")
        with TusServer(folder / "tus") as server:
            peak = memory(folder / "uploading", server)
    ingest, baseline = statistics.median(ours), statistics.median(theirs)
    wrong = len(failed) + len(cut_wrong) + len(killed.wrong)
    result = {
        "wrong": wrong,
        "kill9": {"trials": killed.kills, "wrong": len(killed.wrong)},
        "powercut": {"points": points, "wrong": len(cut_wrong)},
        "faults": {"tried": tried, "survived": tried - len(failed)},
        "ingest_MBps": round(ingest, 1),
        "baseline_MBps": round(baseline, 1),
        "ratio": round(ingest / baseline, 2),
        "redock_s": again,
        "memory_mb": round(peak, 1),
        "memory_idle_upload_mb": round(alone, 1),
        "on": "directories" if disk_images.available() else "images",
    }
    print(json.dumps(result))
    return 0 if wrong == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
