"""`python -m hardware.render`: everything that is made from the tables. `--check` only looks.

Two kinds of artefact. Text of ours is the same bytes everywhere and is compared as such. Pictures
of other programs differ with their version: for those `rendered/digests.json` keeps the SHA-256 of
what they were made from and of the file that came out, so that a changed source is stale and a
file touched by hand is too, on any machine.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hardware import box, box_config, check, drawings, endurance, fit, plot, sheets
from hardware.tables import BOARD_NAMES, BOARDS, BOX, HERE, wiring_files

OUT = HERE / "rendered"
DIGESTS = OUT / "digests.json"
ENCLOSURE = HERE / "enclosure"


@dataclass(frozen=True)
class Text:
    """Bytes that are the same on every machine."""

    path: Path
    make: Callable[[], str]


@dataclass(frozen=True)
class Picture:
    """A file by another program; `sources` decide whether it is stale."""

    path: Path
    sources: tuple[Path, ...]
    make: Callable[[Path], None]


def texts() -> list[Text]:
    found = [
        Text(ENCLOSURE / "parameters.scad", fit.scad_parameters),
        Text(OUT / "endurance.svg", lambda: plot.endurance_svg(endurance.all_hours())),
        Text(OUT / "endurance.md", sheets.endurance_page),
        Text(OUT / "boards.md", sheets.boards_page),
        Text(OUT / "clearances.md", sheets.clearances_page),
        Text(OUT / "box.md", sheets.box_page),
        Text(OUT / "agent-box.toml", lambda: box_config.toml(box.load())),
    ]
    for language in sheets.LANGUAGES:
        for sheet in sheets.SHEETS:
            name = f"{sheet}.{language}.md"
            found.append(Text(OUT / name, partial(sheets.sheet_page, sheet, language)))
        found.append(Text(OUT / f"bringup.{language}.md", partial(sheets.bringup_page, language)))
    return found


def pictures() -> list[Picture]:
    code = HERE / "drawings.py"
    found: list[Picture] = []
    folders = [BOARDS / name for name in BOARD_NAMES] + [BOX]
    for folder in folders:
        for source in wiring_files(folder):
            name = f"wiring-{folder.name}{source.stem.removeprefix('wiring')}"
            for suffix in (".svg", ".png"):
                target = OUT / f"{name}{suffix}"
                found.append(Picture(target, (source, code), partial(drawings.wiring, source)))
    scad = ENCLOSURE / "unit.scad"
    sources = (scad, ENCLOSURE / "parameters.scad", code)
    for view in drawings.CAMERAS:
        make = partial(drawings.case_picture, scad, view)
        found.append(Picture(OUT / f"case-{view}.png", sources, make))
    for part in drawings.PRINTED:
        make = partial(drawings.case_stl, scad, part)
        found.append(Picture(OUT / f"case-{part}.stl", sources, make))
    return found


def sha256(*paths: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def known() -> dict[str, dict[str, str]]:
    return json.loads(DIGESTS.read_text()) if DIGESTS.exists() else {}


def stale() -> list[str]:
    """Artefacts that no longer follow from their sources, and files nobody makes."""
    found: list[str] = []
    made = {DIGESTS}
    for text in texts():
        made.add(text.path)
        if not text.path.exists() or text.path.read_text(encoding="utf-8") != text.make():
            found.append(text.path.name)
    digests = known()
    for picture in pictures():
        made.add(picture.path)
        if not picture.path.exists() or digests.get(picture.path.name) != record(picture):
            found.append(picture.path.name)
    found += [path.name for path in sorted(OUT.iterdir()) if path not in made]
    return found


def record(picture: Picture) -> dict[str, str]:
    return {"sources": sha256(*picture.sources), "file": sha256(picture.path)}


def render() -> None:
    """Make what is stale. Texts first: parameters.scad is a source of pictures."""
    OUT.mkdir(exist_ok=True)
    for text in texts():
        text.path.write_text(text.make(), encoding="utf-8")
    digests = known()
    wanted = pictures()
    for picture in wanted:
        name = picture.path.name
        if picture.path.exists() and digests.get(name) == record(picture):
            continue
        print(f"drawing {name}")
        picture.make(picture.path)
        digests[name] = record(picture)
    names = {picture.path.name for picture in wanted}
    kept = {name: digests[name] for name in sorted(names)}
    DIGESTS.write_text(json.dumps(kept, indent=1) + "\n")


def main(arguments: list[str]) -> int:
    found = check.all_faults()
    for sentence in found:
        print(sentence, file=sys.stderr)
    if "--check" in arguments:
        for name in stale():
            found.append(name)
            print(f"hardware/rendered/{name} is stale: run `make hardware`", file=sys.stderr)
    elif not found:
        render()
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
