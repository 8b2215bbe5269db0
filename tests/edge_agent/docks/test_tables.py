"""Pure parts: the table, lights, names, safe names, hours, sizes, ports."""

from __future__ import annotations

from datetime import datetime
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from edge_agent.docks import names, upload, usb
from edge_agent.docks.config import Bay, DocksConfig, Family
from edge_agent.docks.docks import Docks
from edge_agent.docks.states import FAULTS, RECORDING, Light, NotInTable, State, Step, after, light
from edge_agent.docks.store import safe_path
from tests.fakes.cameras import Reporter

S = State


def test_a_pair_that_is_not_in_the_table_raises() -> None:
    pairs = set(product(State, Step)) - set(RECORDING)
    for state, step in pairs:
        with pytest.raises(NotInTable):
            after(state, step)


def test_only_the_countys_word_leads_to_release_and_only_release_to_eviction() -> None:
    assert [pair for pair, to in RECORDING.items() if to is S.RELEASED] == [
        (S.COUNTY_CONFIRMED, Step.RELEASE)
    ]
    assert {step for (_, step), to in RECORDING.items() if to is S.COUNTY_CONFIRMED} == {
        Step.CONFIRM
    }
    assert [pair for pair, to in RECORDING.items() if to is S.EVICTED] == [(S.RELEASED, Step.EVICT)]


def test_sealed_is_reached_through_a_read_back_and_never_left_for_a_fault() -> None:
    assert [pair for pair, to in RECORDING.items() if to is S.SEALED] == [
        (S.READBACK_OK, Step.RENAMED)
    ]
    assert [state for (state, step) in RECORDING if step is Step.SAME] == [S.COPYING]
    reached, fresh = {S.SEALED}, {S.SEALED}
    while fresh:
        fresh = {to for (state, _), to in RECORDING.items() if state in fresh} - reached
        reached |= fresh
    assert not reached & set(FAULTS)


def test_every_fault_ends_with_the_camera_back() -> None:
    assert all(after(fault, Step.START) is S.COPYING for fault in FAULTS)


@pytest.mark.parametrize(
    ("state", "pending", "problems", "shown"),
    [
        (S.EMPTY, 0, 0, Light.EMPTY),
        (S.DETECTED, 0, 0, Light.WORKING),
        (S.COPYING, 3, 0, Light.WORKING),
        (S.COPYING, 3, 1, Light.PROBLEM),
        (S.SEALED, 0, 0, Light.DONE),
        (S.SEALED, 0, 1, Light.PROBLEM),
        (S.UNLOCK_REFUSED, 0, 0, Light.PROBLEM),
        (S.UNKNOWN_CAMERA, 0, 0, Light.PROBLEM),
        (S.NO_SPACE, 1, 1, Light.PROBLEM),
    ],
)
def test_lights(state: State, pending: int, problems: int, shown: Light) -> None:
    assert light(state, pending, problems) is shown


@pytest.mark.parametrize(
    ("name", "parsed"),
    [
        (
            "DCAM_CAM001_000001_20260804_100000_IMP.mp4",
            names.Parsed("dcam", "CAM001", "000001", "2026-08-04T10:00:00", True),
        ),
        (
            "DCAM_CAM001_20260804_235959.mp4",  # a volunteer: no police number
            names.Parsed("dcam", "CAM001", None, "2026-08-04T23:59:59", False),
        ),
        (
            "DCAM_CAM001_000001_20260231_100000.mp4",  # no such day
            names.Parsed("dcam", "CAM001", "000001", None, False),
        ),
        ("VID_20260804_100000.mp4", names.Parsed("dated", None, None, "2026-08-04T10:00:00")),
        ("IMAG0001.MP4", names.Parsed("dcim")),
        ("出警录像.mp4", names.Parsed()),
        ("", names.Parsed()),
    ],
)
def test_names(name: str, parsed: names.Parsed) -> None:
    assert names.parse(name) == parsed


def test_a_configured_family_comes_first() -> None:
    family = Family(name="own", pattern=r"(?P<member>\d{6})-(?P<date>\d{8})-(?P<time>\d{6})")
    assert names.parse("000042-20260804-100000.avi", [family]).member == "000042"


@given(st.text(max_size=300))
def test_no_name_breaks_the_parser(name: str) -> None:
    names.parse(name)


@given(st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=6))
def test_a_safe_path_stays_in_its_bag_and_opens_anywhere(parts: list[bytes]) -> None:
    path = safe_path(b"/".join(parts), "0123456789abcdef" * 2)
    assert not path.is_absolute()
    assert len(str(path)) <= 320
    for part in path.parts:
        assert part not in (".", "..")
        assert not set(part) & set('\\:*?"<>|%') and min(map(ord, part)) >= 0x20
        assert len(part.encode()) <= 140
        assert not part.endswith((".", " "))


def test_two_names_that_become_one_stay_two() -> None:
    one, two = safe_path(b"a:b.mp4", "1" * 32), safe_path(b"a?b.mp4", "2" * 32)
    assert one != two and str(safe_path(b"DCIM/a.mp4", "1" * 32)) == "DCIM/a.mp4"


@pytest.mark.parametrize(
    ("hours", "clock", "may"),
    [
        (None, "12:00", True),
        ("22:00-06:00", "23:30", True),
        ("22:00-06:00", "05:59", True),
        ("22:00-06:00", "06:00", False),
        ("08:00-18:00", "12:00", True),
        ("08:00-18:00", "18:00", False),
    ],
)
def test_hours(hours: str | None, clock: str, may: bool) -> None:
    assert upload.allowed(hours, datetime.strptime(clock, "%H:%M")) is may


def test_a_request_grows_to_half_a_second_and_shrinks_on_a_bad_link() -> None:
    fast = slow = upload.SMALLEST
    for _ in range(20):
        fast = upload.next_size(fast, fast / 10e6, 1 << 20)
        slow = upload.next_size(slow, slow / 8000, 1 << 20)  # 64 kbit/s
    assert fast == 1 << 20
    assert slow / 8000 <= 2 * upload.REQUEST_S


def test_the_port_is_the_usb_path_whatever_the_disk_is_called() -> None:
    usb_path = (
        "/sys/devices/platform/scb/pci0000:00/0000:01:00.0/usb1/1-1/1-1.3/1-1.3.2/1-1.3.2:1.0"
    )
    assert usb.port(usb_path + "/host0/target0:0:0/0:0:0:0/block/sdb/sdb1") == "1-1.3.2"
    assert usb.port("/sys/devices/platform/mmc_host/mmc0/mmc0:0001/block/mmcblk0") is None


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ({"bay": [{"number": 1}]}, "either path"),
        ({"bay": [{"number": 1, "path": "sdb"}]}, "path"),
        ({"bay": [{"number": 1, "path": "1-1"}, {"number": 1, "path": "1-2"}]}, "share number"),
        ({"bay": [{"number": 1, "path": "1-1"}, {"number": 2, "path": "1-1"}]}, "share path"),
        ({"keep_days": 30}, "keep_days"),
        ({"free_low_mb": 9000, "free_high_mb": 10}, "below free_low_mb"),
        ({"hash": ["sm3"]}, "sha256"),
        ({"family": [{"name": "x", "pattern": "("}]}, "regular expression"),
        ({"family": [{"name": "x", "unlock": "helper"}]}, "password_file"),
        ({"stoer": "x"}, "stoer"),
    ],
)
def test_what_a_wrong_section_gets(section: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        DocksConfig.model_validate({"store": "/srv/docks", **section})


def test_a_bays_topic_part() -> None:
    assert Bay.model_validate({"number": 3, "path": "1-1.3.2"}).slug == "bay-3"


def test_a_store_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    config = DocksConfig(store=tmp_path / "file/docks")
    with pytest.raises(ValueError, match="choose a folder on a local disk"):
        Docks(config, Reporter())


def test_a_hash_that_openssl_does_not_have_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hashlib.algorithms_available", {"sha256"})
    config = DocksConfig(store=tmp_path / "docks", hash=("sha256", "sm3"))
    with pytest.raises(ValueError, match="has no sm3"):
        Docks(config, Reporter())
