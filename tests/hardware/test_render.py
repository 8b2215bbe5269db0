"""What is rendered follows from the tables; touching a table or a picture makes it stale."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from body_unit import policy
from flashing import selftest
from hardware import bringup, drawings, endurance, plot, render, sheets, sources
from hardware.tables import BOARDS, read_wiring


def test_nothing_rendered_is_stale():
    assert render.stale() == [], "run `make hardware`"


@pytest.fixture
def one_picture(tmp_path, monkeypatch):
    """A rendering of one text and one picture in a folder of its own."""
    source, out = tmp_path / "source.yml", tmp_path / "out"
    source.write_text("1")
    out.mkdir()
    picture = render.Picture(
        out / "a.png", (source,), lambda target: target.write_text("drawn " + source.read_text())
    )
    text = render.Text(out / "a.md", lambda: "text " + source.read_text())
    monkeypatch.setattr(render, "OUT", out)
    monkeypatch.setattr(render, "DIGESTS", out / "digests.json")
    monkeypatch.setattr(render, "pictures", lambda: [picture])
    monkeypatch.setattr(render, "texts", lambda: [text])
    render.render()
    assert render.stale() == []
    return source, out


def test_a_changed_source_is_stale_until_rendered(one_picture):
    source, out = one_picture
    source.write_text("2")
    assert render.stale() == ["a.md", "a.png"]
    render.render()
    assert render.stale() == []
    assert (out / "a.png").read_text() == "drawn 2"


def test_a_picture_touched_by_hand_is_stale(one_picture):
    _, out = one_picture
    (out / "a.png").write_text("painted over")
    assert render.stale() == ["a.png"]


def test_a_missing_and_a_left_over_file_are_told(one_picture):
    _, out = one_picture
    (out / "a.png").unlink()
    (out / "old.png").write_text("nobody makes me")
    assert render.stale() == ["a.png", "old.png"]


def test_check_mode_fails_and_names_the_remedy(one_picture, capsys):
    source, _ = one_picture
    source.write_text("3")
    assert render.main(["--check"]) == 1
    assert "a.png is stale: run `make hardware`" in capsys.readouterr().err


def test_hours_go_stale_with_the_firmware(monkeypatch):
    """Change the duty policy: the figure, the page and the limits of the inspection follow."""
    monkeypatch.setitem(policy.TABLE, "raised", (10, 5, 10) * len(policy.ROLES))
    assert {"endurance.svg", "endurance.md"} <= set(render.stale())


def test_committed_files_are_small():
    for path in render.OUT.iterdir():
        limit = 500_000 if path.suffix == ".svg" else 300_000  # text packs well in git
        assert path.stat().st_size < limit, path.name


def test_digests_name_just_what_is_drawn():
    assert set(json.loads(render.DIGESTS.read_text())) == {
        picture.path.name for picture in render.pictures()
    }


graphviz = pytest.mark.skipif(not shutil.which("dot"), reason="apt-get install graphviz")


@graphviz
def test_wireviz_draws_every_signal(tmp_path: Path):
    source = BOARDS / "devkit" / "wiring.yml"
    drawings.wiring(source, tmp_path / "out.svg")
    drawn = (tmp_path / "out.svg").read_text(encoding="utf-8")
    for wire in read_wiring(BOARDS / "devkit").wires:
        assert wire.label in drawn


@graphviz
def test_a_drawing_that_fails_is_an_error(tmp_path: Path):
    broken = tmp_path / "wiring.yml"
    broken.write_text("connectors: {U1: {pinlabels: [A]}}\nconnections: [[{U9: [A]}]]\n")
    with pytest.raises(RuntimeError):
        drawings.wiring(broken, tmp_path / "out.svg")


def test_a_missing_program_names_its_package():
    with pytest.raises(drawings.MissingTool, match="apt-get install unicorn"):
        drawings.tool("no-such-program", "unicorn")


def test_bringup_asks_what_flash_check_asks():
    names = [item.name for item in bringup.items()]
    assert names == [check.name for check in selftest.CHECKS]
    by_name = {item.name: item for item in bringup.items()}
    assert any("vibrate" in text for text in by_name["haptic"].asks)
    assert by_name["modem"].boards == ("lte", "virtual")
    assert all(item.fails for item in bringup.items())


def test_a_new_question_reaches_the_bringup_list(monkeypatch):
    def smell(bench: selftest.Bench) -> selftest.Outcome:
        good = bench.ask("does it smell of smoke?")
        return selftest.PASS, "" if good else "switch it off", {}

    checks = [*selftest.CHECKS, selftest.Check("smell", "", smell)]
    monkeypatch.setattr(selftest, "CHECKS", checks)
    for language in sheets.LANGUAGES:
        page = sheets.bringup_page(language)
        assert "does it smell of smoke?" in page and "switch it off" in page


def test_both_languages_have_the_same_steps():
    for sheet in sheets.SHEETS:
        chinese, english = (sheets.sheet_page(sheet, language) for language in ("zh", "en"))
        assert chinese.count("\n| ") == english.count("\n| ") > 10
        assert not any("\u4e00" <= char <= "\u9fff" for char in english)


def test_sheet_pictures_exist():
    page = sheets.sheet_page("assembly", "zh")
    names = [part.split('"')[0] for part in page.split('src="')[1:]]
    assert names
    assert all((render.OUT / name).exists() for name in names)


def test_plot_holds_every_value():
    results = endurance.all_hours()
    drawn = plot.endurance_svg(results)
    for item in results:
        assert f">{item.worn_h:.1f}<" in drawn


def test_every_figure_has_a_source():
    assert sources.faults() == []
    assert sum(sources.tally().values()) > 100


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ({"kind": "guess", "source": "x"}, "kind is 'guess'"),
        ({"kind": "estimate", "source": ""}, "without a source"),
        ({"kind": "datasheet", "source": "the sheet"}, "without revision"),
        ({"kind": "documentation", "source": "somewhere"}, "without a place"),
    ],
)
def test_a_figure_without_a_source_is_told(monkeypatch, row, word):
    monkeypatch.setattr(sources, "tables", lambda: iter([("x.csv", [row])]))
    assert any(word in text for text in sources.faults())
