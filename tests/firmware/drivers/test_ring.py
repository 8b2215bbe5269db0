"""The log of the last hour: nothing of an ordinary bad hour is lost, and it stays small."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers import ring

HOUR_S = 3600


def test_an_evening_without_a_broker_takes_two_lines() -> None:
    log = ring.Ring()
    log.add(500, "duty raised of z-03")
    for second in range(0, HOUR_S, 20):
        log.add(second * 1000, "wifi k-07: no answer")
        log.add(second * 1000 + 400, "lte county: the broker closed the connection")
    assert list(log.lines()) == [
        "0.5 duty raised of z-03",
        "0.0 wifi k-07: no answer (x180, last 3580)",
        "0.4 lte county: the broker closed the connection (x180, last 3580)",
    ]


def test_an_hour_is_kept_and_no_more() -> None:
    log = ring.Ring(room=4096)
    for minute in range(90):
        log.add(minute * 60_000, f"minute {minute}")
    lines = list(log.lines())
    assert lines[0] == "1740.0 minute 29" and lines[-1] == "5340.0 minute 89"


def test_it_stays_small_whatever_is_said() -> None:
    log = ring.Ring()
    for n in range(5000):
        log.add(n, f"{n} " + "x" * 500)
    lines = list(log.lines())
    assert len(lines) == ring.ROOM // (ring.LONGEST + 11)
    assert lines[-1].startswith("4.9 4999 x") and len(lines[-1]) == ring.LONGEST + 4


@pytest.mark.parametrize("size", range(30, 50))
def test_whatever_the_size_of_the_lines_the_newest_are_whole_and_in_order(size: int) -> None:
    log = ring.Ring()
    for n in range(200):
        log.add(n * 1000, f"{n} " + "打更员" * (size % 7) + "x" * (n % size))
    found = [int(line.split()[1]) for line in log.lines()]
    assert found == list(range(found[0], 200)) and len(found) > 7


def test_a_long_line_is_cut_between_two_characters() -> None:
    log = ring.Ring()
    log.add(0, "ab" + "更" * 100)
    assert list(log.lines()) == ["0.0 ab" + "更" * 39]


def test_a_line_that_was_seen_long_ago_comes_anew() -> None:
    log = ring.Ring()
    for text in ("a", "b", "c", "d", "e", "f", "b", "g", "a"):
        log.add(0, text)
    assert [line[4:] for line in log.lines()] == [
        "a",
        "b (x2, last 0)",
        "c",
        "d",
        "e",
        "f",
        "g",
        "a",
    ]


def test_a_technician_reads_what_was_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    log = ring.Ring()
    log.add(1500, "lte: SIM absent")
    log.save()
    ring.show()
    assert capsys.readouterr().out == "1.5 lte: SIM absent\n"


def test_a_flash_that_is_full_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ring, "FILE", "/nowhere/log.txt")
    ring.Ring().save()
    assert "log not written" in capsys.readouterr().out
