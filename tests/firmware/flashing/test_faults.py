"""Faults at the bench through the real command line: one sentence, exit not 0, no PASS row.

`make bench-flash` walks the whole table (tests/fakes/flash_faults.py), and makes the unit after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flashing import kit
from flashing.identities import Batch
from flashing.ledger import Ledger
from tests.fakes.flash_bench import FlashBench
from tests.fakes.flash_faults import FAULTS, MAC, OTHER_MAC, Fault, order, try_fault

# In the gate: those that end before the self test, and the cut of the ledger's line.
QUICK = {
    *("flipped bit", "busy port", "no port", "wrong chip", "too small flash", "wrong image"),
    *("corrupted kit", "wrong passphrase", "power lost during the ledger write"),
}


@pytest.fixture
def bench(
    tmp_path: Path, kit_folder: Path, made_kit: kit.Kit, batch: Batch
) -> Iterator[FlashBench]:
    with FlashBench(tmp_path, kit_folder, batch) as whole:
        yield whole


@pytest.mark.parametrize("fault", [f for f in FAULTS if f.name in QUICK], ids=lambda f: f.name)
def test_a_fault_is_one_sentence_and_no_unit(bench: FlashBench, fault: Fault) -> None:
    verdict = try_fault(bench, fault, again=False)
    assert verdict.clear, verdict


def test_a_replaced_unit_has_a_new_certificate_and_the_old_one_is_revoked(
    bench: FlashBench,
) -> None:
    first = bench.batch.units["u-0101"][0].serial
    Ledger(bench.home).add("pass", unit="u-0101", mac=MAC, serial=first, board="lte")
    board = bench.plug("b", mac=OTHER_MAC)
    refused = order(bench, board.port)
    done = bench.flash(
        "--unit", "u-0101", "--port", board.port, "--no-line-test", command="replace"
    )
    assert (refused.code, done.code) == (1, 0), done.text
    old, revoked, new = bench.rows()
    assert [row["event"] for row in (old, revoked, new)] == ["pass", "revoke", "pass"]
    assert revoked["serial"] == old["serial"] != new["serial"]
    assert (old["mac"], new["mac"]) == (MAC, OTHER_MAC)
    assert new["imei"] == "861234567890123"
    assert new["iccid"] == "89860012345678901234"
    checked = bench.flash(
        "--unit", "u-0101", "--port", board.port, "--no-line-test", command="check"
    )
    assert checked.code == 0, checked.text
    secrets = (bench.batch.site["wifi"][0]["psk"], bench.batch.units["u-0101"][1].key_der.hex())
    everything = (bench.home / "ledger.jsonl").read_text() + done.text + checked.text
    assert not any(secret in everything for secret in secrets)
