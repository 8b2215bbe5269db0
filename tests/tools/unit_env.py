"""Finish the unit's environment: adafruit_gps out of its wheel, stubs as typings, a micropython.

`.venv-unit/lib-unit/` is what a unit finds on its sys.path besides our own code, and
`.venv-unit/typings/` is what pyright reads in place of CPython's stubs. Both are copies out of the
installed wheels: in site-packages they would stand next to packages that never run on a unit.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ENV = Path(__file__).resolve().parents[2] / ".venv-unit"


def lay_out() -> None:
    (site,) = ENV.glob("lib/python3*/site-packages")
    library, typings = ENV / "lib-unit", ENV / "typings"
    library.mkdir(exist_ok=True)
    shutil.copyfile(site / "adafruit_gps.py", library / "adafruit_gps.py")
    if not typings.exists():
        fresh = ENV / "typings.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        for stub in site.glob("*.pyi"):
            shutil.copy(stub, fresh)
        for folder in ("stdlib", "_mpy_shed", "lib", "esp32", "vfs"):
            if (site / folder).is_dir():
                shutil.copytree(site / folder, fresh / folder)
        fresh.rename(typings)


def micropython() -> Path:
    """Return the `micropython` to use: the environment's, else the one on PATH.

    Exits with one sentence where neither exists (the wheel is x86-64 only; Debian 13 packages it).
    """
    own = ENV / "bin/micropython"
    command = str(own) if own.exists() else shutil.which("micropython")
    if command is None:
        print(
            "micropython: not found in .venv-unit nor on PATH: this platform has no wheel; "
            "install one (Debian 13: apt-get install micropython)",
            file=sys.stderr,
        )
        raise SystemExit(2)
    if not own.exists():
        own.unlink(missing_ok=True)  # a link to one that is gone
        own.symlink_to(command)
    subprocess.run([command, "-c", "import asyncio, ssl"], check=True)
    return Path(command)


if __name__ == "__main__":
    lay_out()
    micropython()
