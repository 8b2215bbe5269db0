"""Who sends what next, when several lines ask; over the real store in a host folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from body_unit.store import split
from drivers.records import Records

BOOT = "0123456789abcdef"
SOS = {
    "id": "00112233aabbccdd",
    "revision": 1,
    "state": "raised",
    "kind": "button",
    "discreet": False,
    "uptime_ms": 5,
}


class Witness(list[tuple[str, int, str]]):
    def __call__(self, boot: str, seq: int, name: str) -> None:
        self.append((boot, seq, name))


@pytest.fixture
def witness() -> Witness:
    return Witness()


@pytest.fixture
def records(tmp_path: Path, witness: Witness) -> Records:
    return Records(str(tmp_path / "queue"), BOOT, "c371500", "u-0001", witness)


def add(records: Records, name: str, core: int = 0) -> None:
    if name == "unit_sos":
        assert records.add(core, 0, name, dict(SOS, revision=core))
    else:
        assert records.add(core, 1, name, {"uptime_ms": 1})


def test_an_sos_goes_first_and_over_every_line(records: Records) -> None:
    add(records, "unit_mark")
    add(records, "unit_sos", 7)
    over_wifi = records.take("wifi", False)
    over_lte = records.take("lte", False)
    assert over_wifi == over_lte
    assert split(over_wifi[1])[0].endswith("/sos")
    assert records.take("lte", True) is None
    assert split(records.take("lte", False)[1])[0].endswith("/mark")
    assert records.take("wifi", False) is None
    assert records.done(over_wifi) == 7
    assert records.done(over_lte) is None


def test_what_a_line_could_not_finish_goes_to_the_next_sos_first(records: Records) -> None:
    for _ in range(3):
        add(records, "unit_mark")
    taken = [records.take("wifi", False) for _ in range(3)]
    add(records, "unit_sos", 1)
    sos = records.take("wifi", False)
    records.give_back("wifi", list(enumerate([*taken, sos])))
    again = [records.take("lte", False) for _ in range(4)]
    assert again[0] == sos
    assert sorted(again[1:]) == sorted(taken)
    assert records.take("lte", False) is None


def test_the_witness_hears_of_an_sos_when_it_is_on_flash(
    records: Records, witness: Witness
) -> None:
    add(records, "unit_sos", 1)
    assert not witness
    records.commit()
    assert witness == [(BOOT, 1, "unit_sos")]


def test_nobody_sleeps_while_something_is_on_its_way_to_the_flash(records: Records) -> None:
    assert records.doing() == "written"
    add(records, "unit_mark")
    assert records.doing() == "owed"
    records.owed = False  # the task that writes has begun
    while records.step():
        assert records.doing() == "owed"
    assert records.doing() == "written"


def test_a_field_that_breaks_the_contract_uses_no_number(records: Records) -> None:
    with pytest.raises(ValueError):
        records.add(0, 1, "unit_mark", {"uptime_ms": -1})
    add(records, "unit_mark")
    assert b'"seq":1,' in records.take("wifi", False)[1]
