"""The damage, judged: nothing comes out whole, and what `sick` makes has a right checksum."""

from __future__ import annotations

import random
from collections import Counter

import pynmea2
import pytest

from tests.fakes import nmea_damage

SENTENCE = b"$GNRMC,171926.00,A,4404.14063,N,12118.85478,W,0.117,,180315,,,A*76\r\n"


def test_damage_always_changes_something() -> None:
    dice = random.Random(1)
    assert all(nmea_damage.damage(SENTENCE, dice) != SENTENCE for _ in range(500))


def test_sick_sentences_pass_a_checksum_test() -> None:
    dice = random.Random(2)
    for _ in range(300):
        line = nmea_damage.sick(SENTENCE, dice)
        try:
            pynmea2.parse(line.decode().strip(), check=True)
        except pynmea2.ChecksumError:  # pragma: no cover
            pytest.fail(f"{line!r} has a wrong checksum")
        except (ValueError, pynmea2.ParseError):
            pass  # a field it could not read, which is the point


def test_wire_damage_keeps_the_old_checksum_and_sometimes_slips_through() -> None:
    dice = random.Random(3)
    seen: Counter[str] = Counter()
    for _ in range(2000):
        line = nmea_damage.wire(SENTENCE, dice).strip()
        try:
            pynmea2.parse(line[line.find(b"$") :].decode(), check=True)
            seen["slips through"] += 1
        except (ValueError, pynmea2.ParseError):
            seen["is seen"] += 1
    assert seen["slips through"] > 20  # two changes that cancel out: what RMC against GGA is for
    assert seen["is seen"] > 1000
