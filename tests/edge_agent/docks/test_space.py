"""What may be evicted, what never; holds; wiping."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from edge_agent.docks import custody, release
from edge_agent.docks.config import Family
from edge_agent.docks.devices import Change, Device
from edge_agent.docks.docks import Docks
from edge_agent.docks.space import DAY_MS
from edge_agent.docks.states import State, Step
from tests.edge_agent.docks.rig import MIB, Rig
from tests.fakes.cameras import Camera, until

KEEP = 184


async def released(rig: Rig, docks: Docks, camera: Camera, *but: str) -> None:
    """Everything on the camera confirmed by the county, except files that end in `but`."""
    camera.dock(rig.bay(1))
    await rig.all_sealed(docks, camera)
    for row in docks.ledger.recordings():
        assert row.file
        if not row.file.endswith(but or ("nothing",)):
            release.confirm(docks.ledger, {"file": row.file, "sha256": row.sha256})


def age(docks: Docks, days: int) -> None:
    """So many days go by."""
    then = time.time() + days * DAY_MS / 1000
    docks.ledger.clock = lambda: then


async def test_only_old_released_unmarked_unheld_recordings_make_room(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    camera = rig.camera(
        "CAM001",
        files={
            b"DCIM/DCAM_C_000001_20260804_100000_IMP.mp4": MIB,
            b"DCIM/free.mp4": MIB + 1,
            b"DCIM/held.mp4": MIB + 2,
            b"DCIM/unconfirmed.mp4": MIB + 3,
        },
    )
    async with rig.running() as docks:
        await released(rig, docks, camera, "unconfirmed.mp4")
        held = next(r for r in docks.ledger.recordings() if (r.file or "").endswith("held.mp4"))
        await docks.hold(held.id, "王敏", "证据")
        docks.store.free_bytes = lambda: 0  # type: ignore[method-assign]
        assert not docks.space.reserve("bay-9", 1), "young recordings are kept"
        assert not [r for r in docks.ledger.recordings() if r.state is State.EVICTED]
        age(docks, KEEP)
        docks.space.reserve("bay-9", 1)
        states = {(r.file or "").rsplit("/")[-1]: r.state for r in docks.ledger.recordings()}
        assert states == {
            "DCAM_C_000001_20260804_100000_IMP.mp4": State.RELEASED,
            "free.mp4": State.EVICTED,
            "held.mp4": State.RELEASED,
            "unconfirmed.mp4": State.ANNOUNCED,
        }
        del camera.files[b"DCIM/free.mp4"]
        await rig.all_sealed(docks, camera)  # the bag is written again without it
        await docks.hold(held.id, "王敏", "结案", on=False)
        docks.space.reserve("bay-9", 1)
        assert docks.ledger.get(held.id).state is State.EVICTED  # type: ignore[union-attr]
        del camera.files[b"DCIM/held.mp4"]
        await rig.all_sealed(docks, camera)
        kinds = [row.kind for row in docks.ledger.journal()]
        assert (
            kinds.index("HELD") < kinds.index("UNHELD") < len(kinds) - kinds[::-1].index("EVICTED")
        )
    rig.audit(camera)


async def test_six_months_are_not_over_because_a_clock_was_wrong(tmp_path: Path) -> None:
    """Sealed in 1970, as far as our clock knew; confirmed by the county in its own time."""
    rig = Rig(tmp_path)
    camera = rig.camera("CAM001", files={b"DCIM/A.mp4": MIB})
    is_set = False
    async with rig.running(clock_is_set=lambda: is_set) as docks:
        docks.ledger.clock = lambda: 1000.0
        camera.dock(rig.bay(1))
        await rig.all_sealed(docks, camera)
        (row,) = docks.ledger.recordings()
        now = round(time.time())
        confirmed = {"file": row.file, "sha256": row.sha256, "iat": now}
        await docks.confirm(confirmed)
        age(docks, KEEP + 1)
        assert not docks.space.evictable(), "our clock is not set"
        is_set = True
        assert [each.id for each in docks.space.evictable()] == [row.id]
        age(docks, KEEP - 1)
        assert not docks.space.evictable(), "the county confirmed it less than six months ago"


async def test_oldest_goes_first_and_no_more_than_needed(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    camera = rig.camera("CAM001", files={b"DCIM/%d.mp4" % n: MIB + n for n in range(4)})
    async with rig.running() as docks:
        await released(rig, docks, camera)
        age(docks, KEEP)
        rows = sorted(docks.ledger.recordings(), key=lambda row: row.sealed_ms or 0)
        docks.store.free_bytes = lambda: (  # type: ignore[method-assign]
            2 * MIB * sum(r.state is State.EVICTED for r in docks.ledger.recordings())
        )
        assert docks.space.reserve("bay-9", 3 * MIB)
        gone = {row.id for row in docks.ledger.recordings() if row.state is State.EVICTED}
        assert gone == {row.id for row in rows[:2]}
        assert docks.space.reserve("bay-8", 5 * MIB), "what bay 9 reserved is not bay 8's"
        assert not docks.space.reserve("bay-7", 1)


@pytest.mark.parametrize(("who", "why"), [("", "证据"), ("王敏", " ")])
async def test_a_hold_needs_a_name_and_a_reason(tmp_path: Path, who: str, why: str) -> None:
    rig = Rig(tmp_path)
    camera = rig.camera("CAM001", files={b"DCIM/A.mp4": 1000})
    async with rig.running() as docks:
        camera.dock(rig.bay(1))
        await rig.all_sealed(docks, camera)
        (row,) = docks.ledger.recordings()
        with pytest.raises(release.Refused, match="name and a reason"):
            await docks.hold(row.id, who, why)
        assert not docks.ledger.get(row.id).held  # type: ignore[union-attr]


class UsbFolder:
    """One camera of a known make, lying in a folder."""

    def __init__(self, root: Path) -> None:
        self._changes = [Change("bay-1", (Device("bay-1", "CAM001", root=root, usb="4255:0001"),))]

    def poll(self, timeout_s: float) -> list[Change]:
        found, self._changes = self._changes, []
        time.sleep(0 if found else timeout_s)
        return found


@pytest.mark.parametrize("wipe", [True, False])
async def test_a_camera_is_wiped_only_when_asked_and_only_of_confirmed_bytes(
    tmp_path: Path, wipe: bool
) -> None:
    rig = Rig(tmp_path, family=(Family(name="own", usb=("4255:0001",), wipe=wipe),))
    camera = rig.camera("CAM001", files={b"DCIM/A.mp4": MIB, b"DCIM/B.mp4": MIB + 1})
    a, b = (camera.home / f"DCIM/{name}.mp4" for name in "AB")
    async with rig.running(devices=UsbFolder(camera.home)) as docks:
        await rig.all_sealed(docks, camera)
        rows = docks.ledger.recordings()
        release.confirm(docks.ledger, {"file": rows[0].file, "sha256": rows[0].sha256})
        assert a.exists() and b.exists()
        b.write_bytes(b"recorded over since")
        release.confirm(docks.ledger, {"file": rows[1].file, "sha256": rows[1].sha256})
        if wipe:
            await until(lambda: rig.reporter.events("NOT_WIPED"))
            await until(lambda: docks.view()[0]["state"] == State.RELEASED)
            assert not a.exists()
        else:
            await until(lambda: len(rig.reporter.events("RELEASED")) == 2)
            assert a.exists()
        assert b.exists(), "other bytes than the county confirmed"


async def test_an_evicted_recording_is_not_copied_again_when_its_camera_comes_back(
    tmp_path: Path,
) -> None:
    rig = Rig(tmp_path)
    camera = rig.camera("CAM001", files={b"DCIM/A.mp4": MIB})
    async with rig.running() as docks:
        await released(rig, docks, camera)
        (row,) = docks.ledger.recordings()
        docks.ledger.advance(row.id, Step.EVICT)
        camera.pull()
        await until(lambda: docks.view()[0]["light"] == "empty")
        camera.dock(rig.bay(2))
        await until(lambda: docks.view()[1]["light"] == "done")
        assert docks.ledger.get(row.id).state is State.EVICTED  # type: ignore[union-attr]


async def test_an_eviction_that_was_cut_short_is_ended_at_the_next_start(tmp_path: Path) -> None:
    """A file that is left over takes the room for ever, and makes the bag invalid."""
    rig = Rig(tmp_path)
    camera = rig.camera("CAM001", files={b"DCIM/A.mp4": MIB, b"DCIM/B.mp4": MIB + 1})
    async with rig.running() as docks:
        await released(rig, docks, camera)
        docks.ledger.advance(docks.ledger.recordings()[0].id, Step.EVICT)  # and no unlink
    camera.pull()
    del camera.files[b"DCIM/A.mp4"]
    async with rig.running() as docks:
        await rig.all_sealed(docks, camera)
    rig.audit(camera)


async def test_the_journal_takes_no_update_and_no_delete(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    async with rig.running() as docks:
        for command in ("UPDATE journal SET kind = 'X'", "DELETE FROM journal"):
            with pytest.raises(Exception, match="append-only"), docks.ledger.transaction() as db:
                db.execute(command)
        (row,) = docks.ledger.journal()
        assert json.loads(row.detail)["public_key"] == custody.public_pem(docks.ledger.key)
