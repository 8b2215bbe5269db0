"""Pictures by WireViz (graphviz) and OpenSCAD. Their bytes differ between versions of those tools;
`render.py` therefore compares the digest of what they were made from."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

WIRING_PIXELS = (2400, 1600)  # labels stay readable, the file under 300 kB
COLOURS = 64
CASE_SIZE = "900,900"

# Camera (rotation about x, y, z in degrees) of each view of the case.
CAMERAS = {
    "assembled": "50,0,25",
    "back": "130,0,150",
    "exploded": "70,0,28",
    "inside": "40,0,20",
    "section": "78,0,70",
}
PRINTED = ("base", "lid", "cap", "clip")


class MissingTool(Exception):
    """A program of the rendering is not installed: the message says which package brings it."""


def tool(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise MissingTool(f"{name} is not installed; apt-get install {package}")
    return found


def wiring(source: Path, target: Path) -> None:
    """wiring.yml as SVG or PNG, by the target's suffix."""
    tool("dot", "graphviz")
    with tempfile.TemporaryDirectory() as folder:
        letter = {".svg": "s", ".png": "p"}[target.suffix]
        command = [sys.executable, "-m", "wireviz.wv_cli", "-f", letter, "-o", folder, str(source)]
        run(command)
        drawn = Path(folder) / source.with_suffix(target.suffix).name
        if target.suffix == ".png":
            shrink(drawn, target)
        else:
            lean(drawn, target)


def lean(drawn: Path, target: Path) -> None:
    """The SVG without the spaces at the ends of lines, which linters and diffs dislike."""
    lines = drawn.read_text(encoding="utf-8").splitlines()
    target.write_text("\n".join(line.rstrip() for line in lines) + "\n", encoding="utf-8")


def shrink(drawn: Path, target: Path) -> None:
    """Line art needs few colours: a tenth of the bytes."""
    Image.MAX_IMAGE_PIXELS = None  # our own drawing, not a stranger's
    with Image.open(drawn) as picture:
        small = picture.convert("RGB")
        small.thumbnail(WIRING_PIXELS, Image.Resampling.LANCZOS)
        small.quantize(COLOURS).save(target, optimize=True)


def case_picture(scad: Path, view: str, target: Path) -> None:
    """One view of the case as PNG. OpenSCAD wants an X display to draw: xvfb lends it one."""
    command = [tool("openscad", "openscad"), "-o", str(target), "-D", f'view="{view}"']
    command += ["--imgsize", CASE_SIZE, "--viewall", "--autocenter", "--colorscheme=Tomorrow"]
    command += [f"--camera=0,0,0,{CAMERAS[view]},400", str(scad)]
    if "DISPLAY" not in os.environ:
        command = [tool("xvfb-run", "xvfb xauth"), "-a", *command]
    run(command)
    shrink(target, target)


def case_stl(scad: Path, part: str, target: Path) -> None:
    """One printed part as binary STL: a fifth of the text form."""
    command = [tool("openscad", "openscad"), "-o", str(target), "--export-format", "binstl"]
    run([*command, "-D", f'view="{part}"', str(scad)])


def run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    bad = ("ERROR", "WARNING", "Simple:     no")  # the last: OpenSCAD on a body that is not closed
    trouble = [line for line in done.stderr.splitlines() if any(word in line for word in bad)]
    if done.returncode or trouble:
        raise RuntimeError(f"{Path(command[0]).name} failed: {(trouble or [done.stderr])[0]}")
