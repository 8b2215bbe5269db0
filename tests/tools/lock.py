"""Write the hashed lock files again after a version in pyproject.toml or *.in changed (make lock).

The unit's lock keeps only the rows its .in file names: adafruit_gps's dependencies must stay out.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

COMPILE = [
    *(sys.executable, "-m", "piptools", "compile", "-q", "--generate-hashes", "--allow-unsafe"),
    *("--strip-extras", "--no-emit-index-url", "--no-emit-find-links", "--no-emit-trusted-host"),
    *("--no-header", "--no-annotate"),
]
EXTRAS = ["--extra", "flash", "--extra", "hardware", "--extra", "dev"]


def compile_lock(source: str, lock: str, *more: str) -> None:
    subprocess.run([*COMPILE, *more, "-o", lock, source], check=True)


def keep_named(source: Path, lock: Path) -> None:
    named = set(re.findall(r"^([a-z0-9-]+)==", source.read_text(), re.M))
    rows = re.split(r"^(?=[a-z])", lock.read_text(), flags=re.M)
    lock.write_text("".join(row for row in rows if row.split("==")[0] in named))


if __name__ == "__main__":
    compile_lock("pyproject.toml", "requirements.txt")
    compile_lock("pyproject.toml", "requirements-dev.txt", *EXTRAS)
    compile_lock("firmware/flashing/requirements.in", "firmware/flashing/requirements.txt")
    compile_lock("requirements-unit.in", "requirements-unit.txt")
    keep_named(Path("requirements-unit.in"), Path("requirements-unit.txt"))
