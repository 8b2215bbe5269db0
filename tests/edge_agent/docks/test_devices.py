"""Which camera is where: USB by uevent, directories, unlocking."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import pyudev

from edge_agent.docks import usb
from edge_agent.docks.config import Bay, Family
from edge_agent.docks.devices import Device, DirectorySource, Several
from edge_agent.docks.mount import InPlace, MountRefused
from edge_agent.docks.unlock import UNLOCKERS, MassStorage, UnlockRefused, unlocker
from tests.edge_agent.docks.rig import Rig
from tests.fakes.cameras import until
from tests.fakes.usb_uevents import disk_path

ROOT = Path(__file__).parents[3]
NO_NAMESPACE = os.geteuid() != 0 or not shutil.which("unshare")


@pytest.mark.skipif(NO_NAMESPACE, reason="uevents need root and unshare")
def test_a_bay_is_a_usb_port_and_not_a_disk_name() -> None:
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-m", "tests.edge_agent.docks.usb_in_a_namespace"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'firmware'}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    one, two = ["CAM001.FB9A-3C00", "exfat"], ["CAM001.77AA-0001", "vfat"]
    assert json.loads(done.stdout) == [
        ["bay-3", one],
        ["bay-3", one, two],  # its second card
        ["bay-3", two],
        ["bay-3"],
        ["bay-4", one],
        ["bay-4", two],  # another card in the reader
        ["bay-4"],
        ["bay-3", ["", None]],
        ["bay-3"],
    ]


class Block:
    """A pyudev.Device as the start-up scan gives it."""

    def __init__(self, port: str, disk: str, kind: str = "disk", size: bytes = b"9", **about: str):
        self.sys_path = "/sys" + disk_path(port, disk)
        self.action, self.device_node, self.device_type = None, f"/dev/{disk}", kind
        self.properties, self.attributes = about, {"size": size}


def test_what_was_plugged_in_before_the_start_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    card = {"ID_FS_TYPE": "exfat", "ID_SERIAL_SHORT": "CAM001"}
    there = [
        Block("1-1.3.2", "sda", ID_PART_TABLE_TYPE="dos", **card),
        Block("1-1.3.2", "sda/sda1", "partition", ID_FS_UUID="A", **card),
        Block("1-1.3.2", "sdb", size=b"0"),  # a reader's second slot, without a card
        Block("1-1.3.3", "sdc", ID_FS_UUID="B", **card),
        Block("1-1.4", "sdd", ID_FS_UUID="C", **card),  # no bay
    ]
    bays = [Bay(number=1, path="1-1.3.2"), Bay(number=2, path="1-1.3.3")]
    source = usb.UsbSource(bays, source="kernel")
    monkeypatch.setattr(pyudev.Context, "list_devices", lambda self, subsystem: there)
    found = [(c.bay, [device.camera for device in c.devices]) for c in source.poll(0)]
    assert found == [("bay-1", ["CAM001.A"]), ("bay-2", ["CAM001.B"])]


def test_a_camera_that_unlocks_is_the_same_camera_after_it() -> None:
    """Its file system shows once it is open: that must not begin a second docking."""
    own = {"ID_VENDOR_ID": "4255", "ID_MODEL_ID": "0001", "ID_SERIAL_SHORT": "CAM001"}
    locked = frozenset({"4255:0001"})
    before = usb.read(Block("1-1", "sda", **own), "bay-1", locked)
    after = usb.read(
        Block("1-1", "sda", ID_FS_TYPE="exfat", ID_FS_UUID="A", **own), "bay-1", locked
    )
    assert before and before.camera == "CAM001" and after
    assert usb.now_there(before, after, locked) is before


def test_directories_come_and_go_by_rename(tmp_path: Path) -> None:
    bay = tmp_path / "bay-1"
    source = Several([DirectorySource([Bay(number=1, directory=bay)], every_s=0.01)])
    assert source.poll(0.02) == []  # the bay itself may come later
    (tmp_path / "CAM001/DCIM").mkdir(parents=True)
    bay.mkdir()
    (bay / ".hidden").mkdir()
    (tmp_path / "CAM001").rename(bay / "CAM001")
    (change,) = source.poll(1)
    assert change.devices == (Device("bay-1", "CAM001", root=bay / "CAM001"),)
    (bay / "CAM002").mkdir()
    assert source.poll(0.02) == []  # one camera at a time
    shutil.rmtree(bay / "CAM001")
    gone, next_one = source.poll(1)
    assert gone.devices == ()
    assert next_one.devices == (Device("bay-1", "CAM002", root=bay / "CAM002"),)


def test_without_root_a_block_device_is_refused_in_one_sentence() -> None:
    with pytest.raises(MountRefused, match=r"docks\.conf"):
        InPlace().mount(Device("bay-1", "CAM001", node="/dev/sdb1"))


# --- unlocking

HELPER = """#!/bin/sh
read password
test "$#" = 1 || exit 3
test "$password" = "secret 密" || { echo "wrong password" >&2; exit 2; }
expr $(date +%s) + 3600
"""


def family(tmp_path: Path, password: str, helper: str = HELPER) -> Family:
    program, secret = tmp_path / "unlock-own", tmp_path / "password"
    program.write_text(helper)
    program.chmod(0o755)
    secret.write_text(password + "\n")
    return Family(
        name="own", usb=("4255:0001",), unlock="helper", helper=program, password_file=secret
    )


CAMERA = Device("bay-1", "CAM001", root=Path("/nowhere"), usb="4255:0001")


def test_a_helper_unlocks_with_the_password_on_its_input_and_tells_the_cameras_clock(
    tmp_path: Path,
) -> None:
    own = unlocker(CAMERA, (family(tmp_path, "secret 密"),))
    assert own.clock_offset_s() is None
    assert own.unlock(CAMERA) is CAMERA
    assert abs((own.clock_offset_s() or 0) - 3600) <= 1


def test_a_refusal_says_why_and_never_the_password(tmp_path: Path) -> None:
    own = unlocker(CAMERA, (family(tmp_path, "not it"),))
    with pytest.raises(UnlockRefused, match="wrong password") as refused:
        own.unlock(CAMERA)
    assert "not it" not in str(refused.value)


def test_a_helper_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_agent.docks.unlock.HELPER_S", 0.2)
    own = unlocker(CAMERA, (family(tmp_path, "x", "#!/bin/sh\nexec sleep 30\n"),))
    began = time.monotonic()
    with pytest.raises(UnlockRefused, match="did not finish"):
        own.unlock(CAMERA)
    assert time.monotonic() - began < 5


def test_a_camera_of_no_family_is_tried_as_mass_storage() -> None:
    assert isinstance(unlocker(CAMERA, ()), MassStorage)
    assert set(UNLOCKERS) == {"mass-storage", "helper"}


async def test_a_refused_camera_is_shown_told_and_recorded(tmp_path: Path) -> None:
    own = family(tmp_path, "not it")
    rig = Rig(tmp_path / "rig", family=(own.model_copy(update={"usb": (":",)}),))
    camera = rig.camera("CAM001")

    class Locked(DirectorySource):
        """Directories that say they are of that make."""

        def poll(self, timeout_s: float):  # type: ignore[no-untyped-def]
            from dataclasses import replace

            return [
                replace(c, devices=tuple(replace(device, usb=":") for device in c.devices))
                for c in super().poll(timeout_s)
            ]

    async with rig.running(devices=Locked(rig.config.bay)) as docks:
        camera.dock(rig.bay(1))
        await until(lambda: rig.reporter.events("UNLOCK_REFUSED"))
        view = docks.view()[0]
        assert (view["light"], view["state"]) == ("problem", "UNLOCK_REFUSED")
        assert not docks.ledger.recordings()
