"""What a camera may do, one function each, on directories. The gate and the bench run them all.

A scenario gets an empty folder, plays, and raises AssertionError when anything was lost, altered,
doubled or silently wrong.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from edge_agent.docks import again, custody
from edge_agent.docks.source import HEAD, Found, MountedSource, Skipped
from edge_agent.docks.states import State
from tests.edge_agent.docks.rig import MIB, Rig, unsealed
from tests.fakes.cameras import noise, until
from tests.fakes.faulty_source import Fault, faulty

Scenario = Callable[[Path], Awaitable[None]]
BIG = b"DCIM/DCAM_CAM001_000001_20260804_100000_IMP.mp4"


def reused(journal: list[custody.Row]) -> int:
    """Chunks that were found again, over all resumes."""
    return sum(json.loads(row.detail).get("reused", 0) for row in journal)


async def yank_and_other_bay(folder: Path) -> None:
    """Pulled at 60 % of a file, docked in another bay: same bytes, chunks used again."""
    rig = Rig(folder)
    camera = rig.camera("CAM001", files={BIG: 8 * MIB + 17, b"DCIM/B.mp4": 2 * MIB})
    yank = Fault("call", at=5 * MIB, suffix=b"IMP.mp4", call=camera.pull)
    gone = Fault("error", at=5 * MIB + 1, suffix=b"IMP.mp4")
    async with rig.running(make_source=faulty(yank, gone)) as docks:
        camera.dock(rig.bay(1))
        await until(lambda: State.YANKED in unsealed(docks))
    async with rig.running() as docks:
        camera.dock(rig.bay(2))
        await rig.all_sealed(docks, camera)
        assert reused(docks.ledger.journal()) >= 4
    rig.audit(camera)


async def silent_short_read(folder: Path) -> None:
    """The camera says "end of file" too early: a fault that is told, never a shorter recording."""
    rig = Rig(folder)
    camera = rig.camera("CAM001", files={BIG: 4 * MIB, b"DCIM/B.mp4": MIB})
    short = Fault("short", at=3 * MIB - 5, suffix=b"IMP.mp4")
    async with rig.running(make_source=faulty(short)) as docks:
        camera.dock(rig.bay(1))
        await until(lambda: len(rig.reporter.events("READ_ERROR")) == 2)
        await until(lambda: docks.view()[0]["light"] == "problem")
        assert "says that is all" in rig.reporter.events("READ_ERROR")[0]["why"]
        assert len(rig.reporter.events("SEALED")) == 1
        camera.pull()
        await until(lambda: docks.view()[0]["light"] == "empty")
        short.kind = "call"  # the contact is good again
        camera.dock(rig.bay(1))
        await rig.all_sealed(docks, camera)
    rig.audit(camera)


async def unreadable_range(folder: Path) -> None:
    """A bad place in one file: told with its offset, the other files are sealed."""
    rig = Rig(folder)
    camera = rig.camera("CAM001")
    bad = Fault("error", at=MIB + 512, until=MIB + 1024, suffix=b"IMP.mp4")
    async with rig.running(make_source=faulty(bad)) as docks:
        camera.dock(rig.bay(1))
        await until(lambda: len(rig.reporter.events("SEALED")) == 2)
        await until(lambda: len(rig.reporter.events("READ_ERROR")) == 2)
        assert f"at byte {MIB + 512}:" in rig.reporter.events("READ_ERROR")[0]["why"]
        assert unsealed(docks) == [State.READ_ERROR]
        camera.pull()
        await until(lambda: docks.view()[0]["light"] == "empty")
        bad.until = 0  # the third try reads
        camera.dock(rig.bay(2))
        await rig.all_sealed(docks, camera)
    rig.audit(camera)


async def another_camera_mid_resume(folder: Path) -> None:
    """Camera A is pulled mid-file, B goes into its bay, then A comes back: nothing is mixed."""
    rig = Rig(folder)
    first = rig.camera("CAM001", files={BIG: 6 * MIB})
    second = rig.camera("CAM002", files={BIG: 6 * MIB})
    noticed = threading.Event()
    yank = Fault("call", at=3 * MIB, call=lambda: (first.pull(), noticed.wait(10)))
    async with rig.running(make_source=faulty(yank)) as docks:
        first.dock(rig.bay(1))
        await until(lambda: State.YANKED in unsealed(docks))
        noticed.set()
        second.dock(rig.bay(1))
        await rig.all_sealed(docks, second)
        second.pull()
        await until(lambda: docks.view()[0]["light"] == "empty")
        first.dock(rig.bay(1))
        await rig.all_sealed(docks, first, second)
    rig.audit(first, second)


async def same_name_other_content(folder: Path) -> None:
    """A camera that counts from 1 again: same name, size and time, other recording. Both kept."""
    rig = Rig(folder)
    camera = rig.camera("CAM001", files={b"DCIM/IMAG0001.mp4": MIB + 1})
    old = list(camera.digest_list())
    async with rig.running() as docks:
        camera.dock(rig.bay(1))
        await rig.all_sealed(docks, camera)
        camera.pull()
        await until(lambda: docks.view()[0]["light"] == "empty")
        camera.record(b"DCIM/IMAG0001.mp4", noise(MIB + 1, "another evening"))
        camera.dock(rig.bay(1))
        await rig.all_sealed(docks, camera)
        both = {row.sha256 for row in docks.ledger.recordings()}
        assert both == {*old, *camera.digest_list()}
    camera.files[b"before"] = noise(MIB + 1, ("CAM001", b"DCIM/IMAG0001.mp4"))
    rig.audit(camera)


async def redock_copies_nothing(folder: Path) -> None:
    """An ingested camera that is docked again: looked through, 0 bytes copied."""
    rig = Rig(folder)
    camera = rig.camera("CAM001")
    read = [0]
    async with rig.running(make_source=faulty(read=lambda n: read.append(n))) as docks:
        camera.dock(rig.bay(1))
        await rig.all_sealed(docks, camera)
        camera.pull()
        await until(lambda: docks.view()[0]["light"] == "empty")
        read.clear()
        camera.dock(rig.bay(2))
        await until(lambda: docks.view()[1]["light"] == "done")
        each = 2 * HEAD + again.SAMPLES * again.SAMPLE
        assert sum(read) <= len(camera.files) * each, "more than both ends and the samples"
        copied = [row for row in docks.ledger.journal() if row.kind == "COPYING"]
        assert {row.docking for row in copied} == {1}
        assert rig.reporter.events("INVENTORIED")[-1]["files"] == 3
    rig.audit(camera)


async def hostile_names(folder: Path) -> None:
    """GBK, control characters, Windows' reserved names, escapes, zero bytes, very long names."""
    deep = "/".join("深" * 60 for _ in range(3)).encode()
    rig = Rig(folder)
    camera = rig.camera(
        "CAM001",
        files={
            "DCIM/民警_000001.mp4".encode(): 1000,
            "DCIM/巡逻录像.mp4".encode("gbk"): 1001,
            b"DCIM/\xff\xfe\x01\n%0A.mp4": 1002,
            b"DCIM/..\\..\\etc\\passwd": 1003,
            b"DCIM/CON.mp4": 1004,
            b"DCIM/empty.mp4": 0,
            b"DCIM/" + b"n" * 250 + b".mp4": 1005,
            b"DCIM/" + deep + b"/300.mp4": 1006,
            b"DCIM/a.mp4": 1007,
            b"DCIM/A.MP4": 1008,
        },
    )
    outside = folder / "outside"
    outside.mkdir()
    (outside / "secret.mp4").write_bytes(b"not on the camera")
    (camera.home / "DCIM/link.mp4").symlink_to(outside / "secret.mp4")
    (camera.home / "elsewhere").symlink_to(outside)
    os.mkfifo(camera.home / "DCIM/pipe.mp4")
    async with rig.running() as docks:
        camera.dock(rig.bay(1))
        await rig.all_sealed(docks, camera)
        assert docks.view()[0]["skipped"] == 3
        assert {e["why"] for e in rig.reporter.events("SKIPPED")} == {
            "a link, not a file",
            "no file",
        }
        lower = [(row.file or "").casefold() for row in docks.ledger.recordings()]
        assert len(set(lower)) == len(lower), "two files would meet on Windows"
    places = [p for p in (rig.config.store / "bags").rglob("*") if p.is_file()]
    assert all("secret" not in p.name for p in places)
    rig.audit(camera)


async def hung_camera_among_eight(folder: Path) -> None:
    """One camera never answers a read: seven finish, the page says so, docking again helps.

    Its thread wakes up much later, while the same recording is long sealed: it changes nothing.
    """
    rig = Rig(folder, bays=8, stall_s=5)
    cameras = [
        rig.camera(f"CAM{n:03d}", files={b"DCIM/%03d.mp4" % n: 3 * MIB + n}) for n in range(8)
    ]
    hang = Fault("hang", at=2 * MIB, suffix=b"003.mp4")
    async with rig.running(make_source=faulty(hang)) as docks:
        for n, camera in enumerate(cameras, 1):
            camera.dock(rig.bay(n))
        await rig.all_sealed(docks, *(c for c in cameras if c.serial != "CAM003"))
        await until(lambda: docks.view()[3]["light"] == "problem")
        assert "take it out" in docks.view()[3]["why"]
        cameras[3].pull()
        await until(lambda: docks.view()[3]["light"] == "empty")
        hang.suffix = b"no file any more"
        cameras[3].dock(rig.bay(1))  # over another one: a bay takes its first only
        cameras[0].pull()
        await rig.all_sealed(docks, *cameras)
        before = len(docks.ledger.journal())
        hang.free.set()
        await asyncio.sleep(0.3)  # time for the woken thread to do harm
        assert len(docks.ledger.journal()) <= before + 3  # bags and announcements only
    rig.audit(*cameras)


async def folder_that_cannot_be_listed(folder: Path) -> None:
    """What lies in it cannot be known: a problem, never a green light."""
    rig = Rig(folder)
    camera = rig.camera("CAM001")

    class Blind(MountedSource):
        def walk(self) -> Iterator[Found | Skipped]:
            yield from super().walk()
            yield Skipped(b"DCIM/101MEDIA", "folder cannot be read: Input/output error", fault=True)

    async with rig.running(make_source=Blind) as docks:
        camera.dock(rig.bay(1))
        await rig.all_sealed(docks, camera)
        await until(lambda: docks.view()[0]["state"] == State.SEALED)
        assert docks.view()[0]["light"] == "problem"
        assert "101MEDIA" in docks.view()[0]["why"]
        assert len(rig.reporter.events("READ_ERROR")) == 1
    rig.audit(camera)


CAMERA_SCENARIOS: tuple[Scenario, ...] = (
    yank_and_other_bay,
    silent_short_read,
    unreadable_range,
    another_camera_mid_resume,
    same_name_other_content,
    redock_copies_nothing,
    hostile_names,
    hung_camera_among_eight,
    folder_that_cannot_be_listed,
)
