"""The route generator, judged by pynmea2 reading back and by plain geometry."""

from __future__ import annotations

import itertools
import math

import pynmea2
import pytest

from tests.fakes import routes

START = 1795280400  # 2026-11-21 17:00:00 UTC


def metres(a: routes.Point, b: routes.Point) -> float:
    shrink = math.cos(math.radians(a[0]))
    return routes.METRES_PER_DEGREE * math.hypot(a[0] - b[0], (a[1] - b[1]) * shrink)


@pytest.mark.parametrize("how", [routes.WALK, routes.MOTORBIKE, routes.ALLEY])
def test_sentences_say_what_the_truth_says(how: routes.How) -> None:
    for second, (truth, lines) in enumerate(routes.generate(routes.VILLAGE, START, how)):
        rmc, gga = (pynmea2.parse(line.strip(), check=True) for line in lines)
        assert truth.unix_s == START + second
        assert rmc.datetime.timestamp() == truth.unix_s
        assert (rmc.status == "A") == (gga.gps_qual == 1) == (truth.claimed is not None)
        for message in (rmc, gga):
            if truth.claimed is None:
                assert message.lat == message.lon == ""
            else:
                assert message.latitude == pytest.approx(truth.claimed[0], abs=1e-9)
                assert message.longitude == pytest.approx(truth.claimed[1], abs=1e-9)


def test_the_walker_keeps_his_pace_and_arrives() -> None:
    places = [truth.real for truth, _ in routes.generate(routes.VILLAGE, START, routes.WALK)]
    steps = [metres(a, b) for a, b in itertools.pairwise(places)]
    assert max(steps) < 1.31
    assert sum(steps) / len(steps) > 1.28  # corners are cut by less than a step
    assert metres(places[-1], routes.VILLAGE[-1]) < 1.3


def test_noise_stays_near_and_the_alley_goes_blind() -> None:
    claims = [
        (truth.real, truth.claimed)
        for truth, _ in routes.generate(routes.VILLAGE * 4, START, routes.ALLEY)
    ]
    errors = [metres(real, claimed) for real, claimed in claims if claimed]
    assert 2 < sum(errors) / len(errors) < 20
    assert 0.1 < sum(claimed is None for _, claimed in claims) / len(claims) < 0.6


def test_south_and_west_and_the_lines_between() -> None:
    around_zero = [(0.001, -0.001), (-0.001, 0.001)]
    lines = list(routes.generate(around_zero, START, routes.MOTORBIKE))
    seen = {(m.lat_dir, m.lon_dir) for _, two in lines for m in [pynmea2.parse(two[0].strip())]}
    assert ("N", "W") in seen and ("S", "E") in seen


def test_same_seed_same_route() -> None:
    runs = [list(routes.generate(routes.VILLAGE, START, routes.ALLEY, seed=s)) for s in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]
