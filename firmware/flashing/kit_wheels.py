"""The kit's wheels: flash.sh's own environment for laptops without internet.

esptool comes as a source archive only, so its wheel is built here. The kit's lock names the digests
of the very files in it, because those of the registry do not fit a wheel built at home.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from flashing.errors import FlashError

LOCK = Path(__file__).with_name("requirements.txt")
HOME_BUILT = ("esptool",)


def collect(others: list[str]) -> dict[str, bytes]:
    """Return file name in the kit -> content: wheels for this machine and for `others`, and a lock.

    An entry of `others` is PLATFORM:PYTHON, such as win_amd64:3.12.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        # pip itself too: a Debian laptop without python3-venv has none
        _pip("wheel", "-w", str(folder), "--no-deps", "--require-hashes", "-r", str(LOCK))
        _pip("download", "-d", str(folder), "--no-deps", "pip")
        for other in others:
            platform, _, python = other.partition(":")
            if not python:
                raise FlashError(f"kit: {other!r} is no PLATFORM:PYTHON: write win_amd64:3.12")
            _pip(
                *("download", "-d", str(folder), "--no-deps", "--only-binary=:all:"),
                *("--platform", platform, "--python-version", python),
                *("--find-links", str(folder), *_pins()),
            )
        wheels = {wheel.name: wheel.read_bytes() for wheel in sorted(folder.glob("*.whl"))}
    files = {f"wheels/{name}": content for name, content in wheels.items()}
    files["requirements.lock"] = lock(wheels).encode()
    return files


def lock(wheels: dict[str, bytes]) -> str:
    """Return a pip lock that names exactly these wheels."""
    pinned: dict[str, list[str]] = {}
    for name, content in wheels.items():
        project, version = name.split("-")[:2]
        digest = hashlib.sha256(content).hexdigest()
        pinned.setdefault(f"{project.replace('_', '-')}=={version}", []).append(digest)
    rows = [
        " \\\n    ".join([pin, *(f"--hash=sha256:{digest}" for digest in digests)])
        for pin, digests in sorted(pinned.items())
    ]
    return "\n".join(rows) + "\n"


def _pins() -> list[str]:
    return [
        line.split()[0] for line in LOCK.read_text(encoding="utf-8").splitlines() if "==" in line
    ]


def _pip(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", *arguments, "--disable-pip-version-check", "-q"],
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise FlashError(
            f"kit: pip could not bring the wheels ({last}): connect to the package registry"
        )
