"""One unit, from a bare board to a row in the ledger.

    facts -> may this board be this unit? -> read-out of what it still holds -> image -> write and
    compare -> reset -> self test -> PASS

Nothing is written to the board before every refusal has been tried, and nothing is called made
before the PASS row is on the laptop's disk.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from flashing import layout, readout, selftest, unit_files
from flashing.chip import BAUDS, Chip, Facts, refuse_wrong_chip
from flashing.chip_errors import ChipError
from flashing.errors import FlashError
from flashing.identities import Batch, UnitIdentity
from flashing.kit import Kit
from flashing.ledger import Ledger, Row
from flashing.readout import ReadOut
from flashing.technician import Technician

T = TypeVar("T")


@dataclass(frozen=True)
class Order:
    """What is wanted: this unit on that port."""

    port: str
    unit: str
    board: str
    replacing: bool = False
    test_line: bool = True  # try Wi-Fi and broker in the self test


@dataclass(frozen=True)
class Workshop:
    """What all jobs of a laptop share."""

    kit: Kit
    batch: Batch
    ledger: Ledger
    person: Technician
    readout: ReadOut
    bauds: tuple[int, ...] = BAUDS


def make_unit(shop: Workshop, order: Order) -> Row:
    """Make one unit and return its PASS row; FlashError (one sentence) when it is not made."""
    began = time.monotonic()
    written = at_falling_bauds(
        shop.person, order.port, lambda chip: _write(shop, order, chip), shop.bauds
    )
    write_seconds = time.monotonic() - began
    report = selftest.run(order.port, shop.person, written.expected, order.test_line)
    if not report.passed:
        raise FlashError(f"{order.port}: {order.unit} is no unit yet: {report.sentence()}")
    _revoke_others(shop.ledger, order.unit, written.who.serial)
    return shop.ledger.add(
        "pass",
        unit=order.unit,
        mac=written.facts.mac,
        serial=written.who.serial,
        until=f"{written.who.until():%Y-%m-%d}",
        board=order.board,
        chip=written.facts.description,
        features=written.facts.features,
        crystal_mhz=written.facts.crystal_mhz,
        flash_mb=written.facts.flash_size // 2**20,
        micropython=shop.kit.image.version,
        image=shop.kit.image_sha256,
        app=shop.kit.app_id,
        tests={name: list(outcome) for name, outcome in report.outcomes.items()},
        seconds=round(time.monotonic() - began, 2),
        write_seconds=round(write_seconds, 2),  # without the tests, which wait for a person
        **report.learnt,
    )


def check_unit(shop: Workshop, port: str, unit: str, test_line: bool = True) -> Row:
    """Test a made unit again, against what the ledger and the kit say it holds."""
    held = next((held for held in shop.ledger.holders() if held.unit == unit), None)
    if held is None:
        raise FlashError(f"ledger: {unit} was never made here: merge the ledger of its laptop")
    made = next(r for r in shop.ledger.rows if r["event"] == "pass" and r["serial"] == held.serial)
    if (made["app"], made["image"]) != (shop.kit.app_id, shop.kit.image_sha256):
        raise FlashError(
            f"kit: {unit} was made with app {made['app']} on image {made['image'][:12]}, this kit "
            f"holds {shop.kit.app_id} on {shop.kit.image_sha256[:12]}: name that kit with --kit, "
            "or flash the unit again"
        )
    who = next((i for i in shop.batch.units.get(unit, []) if i.serial == held.serial), None)
    if who is None:
        raise FlashError(f"identities: {unit} is not in this batch: take the batch it was made of")
    files = unit_files.assemble(shop.kit, shop.batch, unit, who, made["board"])
    report = selftest.run(port, shop.person, _expected(shop, held.mac, unit, files), test_line)
    if not report.passed:
        raise FlashError(f"{port}: {unit}: {report.sentence()}")
    return shop.ledger.add("check", unit=unit, mac=held.mac, serial=held.serial, **report.learnt)


def at_falling_bauds(
    person: Technician, port: str, work: Callable[[Chip], T], bauds: tuple[int, ...] = BAUDS
) -> T:
    """Run `work` in one session per baud rate, the next lower one when the line was at fault."""
    for baud in bauds:
        try:
            with Chip(port, baud) as chip:
                return work(chip)
        except ChipError as error:
            if not error.slower or baud == bauds[-1]:
                raise
            person.say(port, f"again and more slowly: the line fails at {baud} baud")
    raise AssertionError("bauds is empty")


@dataclass(frozen=True)
class _Written:
    facts: Facts
    who: UnitIdentity
    expected: selftest.Expected


def _write(shop: Workshop, order: Order, chip: Chip) -> _Written:
    """Everything that needs the boot loader, in one session."""
    facts, port = chip.facts, order.port
    shop.person.say(
        port,
        f"{facts.description}, {facts.mac}, {facts.crystal_mhz} MHz, "
        f"{facts.flash_size // 2**20} MB: becomes {order.unit}",
    )
    refuse_wrong_chip(facts, port)
    shop.ledger.refuse(order.unit, facts.mac, order.replacing)
    places = layout.plan(shop.kit.image, facts.flash_size)
    who = shop.batch.pick(order.unit, _unusable(shop.ledger, facts.mac))
    files = unit_files.assemble(shop.kit, shop.batch, order.unit, who, order.board)
    regions = places.regions(files)
    _rescue(shop, chip)
    chip.write(regions, lambda part: shop.person.progress(port, "writing", part))
    chip.reset()
    return _Written(facts, who, _expected(shop, facts.mac, order.unit, files))


def _rescue(shop: Workshop, chip: Chip) -> None:
    """Offer the records that a reflash would erase, where the board was a unit before."""
    likely = layout.likely_homes(shop.kit.image, chip.facts.flash_size)
    home = readout.find_home(chip, likely)
    if home is None:
        return
    question = "this board was a unit: save its unsent records before they are erased?"
    answer = shop.person.ask(chip.port, question, selftest.ANSWER_SECONDS)
    if answer is None:
        raise FlashError(
            f"{chip.port}: nobody said whether its unsent records are wanted, so they were not "
            "erased: flash again and answer"
        )
    if answer:
        shop.readout.save(readout.take(chip, home), chip.facts.mac, shop.person, chip.port)


def _unusable(ledger: Ledger, mac: str) -> set[str]:
    """Return the serials that are revoked or on another board."""
    elsewhere = {r["serial"] for r in ledger.rows if r["event"] == "pass" and r["mac"] != mac}
    return ledger.revoked() | elsewhere


def _revoke_others(ledger: Ledger, unit: str, serial: str) -> None:
    """One unit has one certificate that counts: the one just written."""
    dead = ledger.revoked()
    for row in [r for r in ledger.rows if r["event"] == "pass" and r["unit"] == unit]:
        if row["serial"] not in dead | {serial}:
            ledger.add("revoke", unit=unit, mac=row["mac"], serial=row["serial"], why="replaced")


def _expected(shop: Workshop, mac: str, unit: str, files: dict[str, bytes]) -> selftest.Expected:
    lines = files["/pins.csv"].decode().splitlines()
    return selftest.Expected(
        mac=mac,
        unit=unit,
        hashes=unit_files.digests(files),
        micropython=shop.kit.image.version,
        mpy=shop.kit.mpy,
        signals={line.split(",")[0] for line in lines[1:]},
    )
