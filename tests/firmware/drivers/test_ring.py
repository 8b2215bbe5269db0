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
    log = ring.Ring()
    for minute in range(90):
        log.add(minute * 60_000, f"minute {minute}")
    lines = list(log.lines())
    assert lines[0] == "1740.0 minute 29" and lines[-1] == "5340.0 minute 89"


def test_it_stays_small_whatever_is_said() -> None:
    log = ring.Ring()
    for n in range(5000):
        log.add(n, f"{n} " + "x" * 500)
    assert sum(len(line) for line in log.lines()) < ring.ROOM + 40 * ring.ROOM // ring.LONGEST


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
