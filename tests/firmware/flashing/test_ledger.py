"""The ledger: torn writes, refusals, revocation, and merging of laptops in any order."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flashing.errors import FlashError
from flashing.ledger import Ledger

A, B, C = "24:0a:c4:00:00:0a", "24:0a:c4:00:00:0b", "24:0a:c4:00:00:0c"


def passed(ledger: Ledger, unit: str, mac: str, serial: str) -> None:
    ledger.add("pass", unit=unit, mac=mac, serial=serial)


def test_every_cut_of_the_last_write_leaves_the_rows_before_it(tmp_path: Path) -> None:
    first = Ledger(tmp_path)
    passed(first, "u-1", A, "1")
    whole = (tmp_path / "ledger.jsonl").read_bytes()
    passed(first, "u-2", B, "2")
    both = (tmp_path / "ledger.jsonl").read_bytes()
    for cut in range(len(whole), len(both)):
        (tmp_path / "ledger.jsonl").write_bytes(both[:cut])
        again = Ledger(tmp_path)
        assert [row["unit"] for row in again.rows] == ["u-1"]
        assert again.torn == (cut > len(whole))
        passed(again, "u-3", B, "3")
        assert [row["unit"] for row in Ledger(tmp_path).rows] == ["u-1", "u-3"]


def test_a_row_is_on_the_disk_before_it_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (synced.append(handle), real(handle))[1])
    ledger = Ledger(tmp_path)
    synced.clear()
    passed(ledger, "u-1", A, "1")
    assert len(synced) == 2  # the row, and the new file's name in its folder

    def refuse(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(FlashError, match="No space left"):
        passed(ledger, "u-2", B, "2")
    assert [row["unit"] for row in ledger.rows] == ["u-1"]


def test_who_may_become_whom(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.refuse("u-1", A, replacing=False)
    passed(ledger, "u-1", A, "1")
    ledger.refuse("u-1", A, replacing=False)  # the same board again
    with pytest.raises(FlashError, match="is unit u-1"):
        ledger.refuse("u-2", A, replacing=False)
    with pytest.raises(FlashError, match="is unit u-1"):
        ledger.refuse("u-2", A, replacing=True)
    with pytest.raises(FlashError, match="replace --unit u-1"):
        ledger.refuse("u-1", B, replacing=False)
    ledger.refuse("u-1", B, replacing=True)
    ledger.add("revoke", unit="u-1", serial="1", why="lost")
    ledger.refuse("u-2", A, replacing=False)
    ledger.refuse("u-1", B, replacing=False)


def test_laptops_merge_to_the_same_ledger_in_any_order(tmp_path: Path) -> None:
    made = [("w", "u-3", B), ("x", "u-1", A), ("y", "u-2", A), ("z", "u-3", C)]
    for name, unit, mac in made:
        passed(Ledger(tmp_path / name), unit, mac, name)
    one, two = Ledger(tmp_path / "one"), Ledger(tmp_path / "two")
    for name in "wxyz":
        assert one.merge(tmp_path / name / "ledger.jsonl") == 1
    for name in "zzyxw":
        two.merge(tmp_path / name / "ledger.jsonl")
    files = [(tmp_path / name / "ledger.jsonl").read_bytes() for name in ("one", "two")]
    assert files[0] == files[1]
    said = " ".join(one.conflicts())
    assert f"board {A} is u-1 and u-2" in said
    assert f"unit u-3 is on boards {B} and {C}" in said
    for unit, serial in [("u-2", "y"), ("u-3", "z")]:
        one.add("revoke", unit=unit, serial=serial, why="made twice")
    assert one.conflicts() == []
    assert {held.unit: held.mac for held in one.holders()} == {"u-1": A, "u-3": B}
    assert one.export().count("\n") == 7


def test_damage_in_the_middle_is_no_empty_ledger(tmp_path: Path) -> None:
    passed(Ledger(tmp_path), "u-1", A, "1")
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(b"{\n" + path.read_bytes())
    with pytest.raises(FlashError, match="damaged"):
        Ledger(tmp_path)


def test_two_programs_share_a_ledger(tmp_path: Path) -> None:
    one, two = Ledger(tmp_path), Ledger(tmp_path)
    passed(one, "u-1", A, "1")
    with pytest.raises(FlashError, match="is unit u-1"):
        passed(two, "u-2", A, "2")
    passed(two, "u-2", B, "3")
    assert [(row["n"], row["unit"]) for row in Ledger(tmp_path).rows] == [(1, "u-1"), (2, "u-2")]


def test_a_laptop_that_was_set_back_loses_no_row(tmp_path: Path) -> None:
    laptop = Ledger(tmp_path / "laptop")
    passed(laptop, "u-1", A, "1")
    old = (tmp_path / "laptop/ledger.jsonl").read_bytes()
    passed(laptop, "u-2", B, "2")
    office = Ledger(tmp_path / "office")
    assert office.merge(tmp_path / "laptop/ledger.jsonl") == 2
    (tmp_path / "laptop/ledger.jsonl").write_bytes(old)  # from a backup
    passed(Ledger(tmp_path / "laptop"), "u-3", C, "3")  # takes number 2 again
    assert office.merge(tmp_path / "laptop/ledger.jsonl") == 1
    assert office.merge(tmp_path / "laptop/ledger.jsonl") == 0
    assert {held.unit for held in office.holders()} == {"u-1", "u-2", "u-3"}
    assert any("was set back to an old copy" in line for line in office.conflicts())


def test_a_file_that_is_no_ledger_changes_nothing(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "home")
    passed(ledger, "u-1", A, "1")
    for content in (b'{"unit": "u-2"}\n', b"[]\n", b"unit,board\n"):
        (tmp_path / "other").write_bytes(content)
        with pytest.raises(FlashError, match="damaged"):
            ledger.merge(tmp_path / "other")
    assert [row["unit"] for row in Ledger(tmp_path / "home").rows] == ["u-1"]
