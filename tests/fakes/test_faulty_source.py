"""The doubles of the docks' tests do what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.docks.source import HEAD, Found, MountedSource, fingerprint
from tests.fakes.cameras import Camera
from tests.fakes.faulty_source import Fault, faulty

SIZE = 300_000


def read_all(root: Path, *faults: Fault) -> bytes:
    opened = faulty(*faults)(root).open(b"A.mp4")
    buffer, out = memoryview(bytearray(2 * HEAD)), b""
    while got := opened.readinto(buffer):
        out += bytes(buffer[:got])
    opened.close()
    return out


@pytest.fixture
def camera(tmp_path: Path) -> Camera:
    return Camera(tmp_path, "CAM001", {b"A.mp4": SIZE})


def test_without_faults_it_reads_what_is_there(camera: Camera) -> None:
    assert read_all(camera.home) == camera.files[b"A.mp4"]


def test_short_ends_early_without_a_word(camera: Camera) -> None:
    assert read_all(camera.home, Fault("short", at=200_000)) == camera.files[b"A.mp4"][:200_000]


def test_error_is_in_its_range_only(camera: Camera) -> None:
    with pytest.raises(OSError, match="Input/output"):
        read_all(camera.home, Fault("error", at=200_000, until=200_512))
    assert read_all(camera.home, Fault("error", at=200_000, suffix=b"B.mp4"))


def test_call_happens_once_at_its_place(camera: Camera) -> None:
    called: list[int] = []
    fault = Fault("call", at=100_000, call=lambda: called.append(1))
    assert read_all(camera.home, fault) == camera.files[b"A.mp4"]
    assert called == [1] and fault.met.is_set()


def test_fingerprints_are_never_faulty(camera: Camera) -> None:
    """Faults are for copying: a camera that cannot even be listed is another scenario."""
    found = Found(b"A.mp4", SIZE, 0)
    good = fingerprint(MountedSource(camera.home), found)
    assert fingerprint(faulty(Fault("short", at=0))(camera.home), found) == good


def test_a_pulled_camera_is_gone_from_its_bay_and_keeps_its_files(
    camera: Camera, tmp_path: Path
) -> None:
    before = camera.image()
    camera.dock(tmp_path / "bay")
    assert (tmp_path / "bay/CAM001/A.mp4").exists() and camera.image() == before
    camera.pull()
    assert not list((tmp_path / "bay").iterdir()) and camera.image() == before
