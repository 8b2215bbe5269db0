"""hardware/fit.py: the case as it is passes; each way of spoiling it is told."""

from __future__ import annotations

import shutil
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from hardware import drawings, fit
from hardware.tables import HERE, read_bom


def moved(case: fit.Case, name: str, **changes: object) -> fit.Case:
    boxes = tuple(replace(box, **changes) if box.name == name else box for box in case.boxes)
    return replace(case, boxes=boxes)


def tuned(case: fit.Case, **numbers: float) -> fit.Case:
    return replace(case, numbers={**case.numbers, **numbers})


def test_the_case_as_drawn_is_clear():
    assert fit.faults() == []


@pytest.mark.parametrize(
    ("rule", "name", "changes", "word"),
    [
        (fit.inside, "pack", {"at": (1.5, 29.0, 0.7)}, "top wall"),
        (fit.inside, "button", {"at": (22.9, 44.9, 24.0)}, "front wall"),
        (fit.apart, "pack", {"at": (3.5, 20.5, 2.0)}, "pack and board overlap"),
        (fit.apart, "motor", {"at": (20.6, 45.0, 0.0)}, "pack and motor are 0.10 mm apart"),
        (fit.apart, "pack", {"at": (3.0, 5.0, 0.7)}, "post 1"),
        (fit.keepouts, "pack", {"at": (12.0, 10.5, 0.7)}, "Wi-Fi antenna: pack"),
        (fit.keepouts, "motor", {"at": (41.0, 45.0, 0.0)}, "LTE antenna: motor"),
    ],
)
def test_a_part_in_the_wrong_place_is_told(rule, name, changes, word):
    case = fit.load()
    assert rule(case) == []
    assert any(word in text for text in rule(moved(case, name, **changes)))


@pytest.mark.parametrize(
    ("rule", "numbers", "word"),
    [
        (fit.button, {"recess": 1.0}, "seat edge"),
        (fit.button, {"seat_r": 15}, "seat edge"),
        (fit.button, {"opening_d": 20}, "does not enter"),
        (fit.button, {"recess": 14.0}, "does not reach"),
        (fit.button, {"front": 2.6}, "ring over the cap"),
        (fit.button, {"cap_boss": 14}, "a smaller boss"),
        (fit.button, {"cap_d": 18}, "glued on less"),
        (fit.button, {"cavity_z": 27.4}, "deeper case"),
        (fit.gasket, {"groove_d": 1.4}, "squeezed 7%"),
        (fit.gasket, {"groove_w": 1.6}, "fills"),
        (fit.gasket, {"wall": 3.0}, "printed lines"),
        (fit.gasket, {"screw_span": 30}, "without a screw"),
    ],
)
def test_a_wrong_number_is_told(rule, numbers, word):
    case = fit.load()
    assert rule(case) == []
    assert any(word in text for text in rule(tuned(case, **numbers)))


def test_a_missing_lug_leaves_the_gasket_loose():
    case = fit.load()
    assert any("add a lug" in text for text in fit.gasket(replace(case, lugs=case.lugs[1:])))


def test_as_many_screws_as_holes_and_cord_enough():
    case, bom = fit.load(), read_bom(fit.FOLDER)
    assert fit.mechanical(case, bom) == []
    assert any("8 SCREW-M2.5x10" in text for text in fit.mechanical(case, bom[:4]))
    assert any("cord" in text for text in fit.mechanical(case, bom[:-1]))
    assert fit.rim_mm(case) == pytest.approx(303.8, abs=0.1)


def test_distances_between_boxes():
    left = fit.Box("a", (0, 0, 0), (1, 1, 1))
    assert left.distance(fit.Box("b", (4, 5, 0), (1, 1, 1))) == pytest.approx(5)
    assert left.distance(fit.Box("b", (0.5, 0.5, 0.5), (1, 1, 1))) == 0
    assert left.overlaps(fit.Box("b", (0.5, 0.5, 0.5), (1, 1, 1)))
    assert not left.overlaps(fit.Box("b", (1, 0, 0), (1, 1, 1)))  # touching is not overlapping


def test_a_ball_in_a_ring():
    assert fit.intrusion_mm(10, 24) == 10  # smaller than the ring: falls through
    assert fit.intrusion_mm(13, 24) == pytest.approx(8)  # 5-12-13
    assert fit.bluntest_presser_mm(24, 8) == pytest.approx(13)


def test_sizes_are_those_of_the_parts_list():
    """The board's picture of a part is not typed in twice."""
    esp32 = fit.load().box("esp32")
    assert esp32.size == (18.0, 31.4, 3.3)
    assert '["esp32", [31.5, 3, 22.1], [18, 31.4, 3.3]]' in fit.scad_parameters()


def stl_bounds(path: Path) -> tuple[list[float], list[float]]:
    """Lowest and highest corner of a binary STL: 80 bytes, a count, 50 bytes a triangle."""
    data = path.read_bytes()
    (count,) = struct.unpack_from("<I", data, 80)
    assert len(data) == 84 + 50 * count
    corners = [
        struct.unpack_from("<3f", data, 84 + 50 * triangle + 12 * corner)
        for triangle in range(count)
        for corner in (1, 2, 3)
    ]
    return [min(axis) for axis in zip(*corners, strict=True)], [
        max(axis) for axis in zip(*corners, strict=True)
    ]


def test_the_printed_base_has_the_computed_size():
    """The STL on disk, measured: walls, floor and lugs are where the numbers say."""
    case = fit.load()
    numbers = case.numbers
    low, high = stl_bounds(HERE / "rendered" / "case-base.stl")
    lug = numbers["wall"] + numbers["lug_d"] - 1  # how far a lug reaches outside the cavity
    assert low[0] == pytest.approx(-lug, abs=0.05)
    assert high[0] == pytest.approx(numbers["cavity_x"] + lug, abs=0.05)
    assert high[2] == pytest.approx(numbers["cavity_z"], abs=0.01)
    assert low[2] == pytest.approx(-numbers["floor"] - 4, abs=0.01)  # the clip's pad


def test_the_printed_lid_and_cap_close_the_case():
    numbers = fit.load().numbers
    low, high = stl_bounds(HERE / "rendered" / "case-lid.stl")  # lies on its face to be printed
    assert high[2] - low[2] == pytest.approx(numbers["front"] + numbers["collar"], abs=0.01)
    _, high = stl_bounds(HERE / "rendered" / "case-cap.stl")
    top = numbers["cavity_z"] + numbers["front"] + numbers["collar"] - numbers["recess"]
    assert high[2] == pytest.approx(top + 0.8, abs=0.05)  # half of a dot of 1.6 mm


@pytest.mark.skipif(not shutil.which("openscad"), reason="apt-get install openscad")
def test_openscad_understands_the_case(tmp_path: Path):
    """Compiled to CSG only: takes a second, fails on any warning."""
    scad = HERE / "enclosure" / "unit.scad"
    out = tmp_path / "unit.csg"
    command = [drawings.tool("openscad", "openscad"), "-o", str(out), str(scad)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "WARNING" not in done.stderr
    assert out.stat().st_size > 10_000
