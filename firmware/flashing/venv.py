"""Make a virtual environment from a hashed lock file, on any machine with a bare python3.

    python3 firmware/flashing/venv.py .venv requirements.txt [--wheelhouse DIR] [--no-deps]

Stdlib only, because it runs before anything is installed. Debian splits `ensurepip` off into
python3-venv: where that is missing it is installed (root or sudo); where that is not allowed, pip's
own wheel, which is runnable as it is, comes from the wheelhouse of an offline kit or from the index
at PIP_INDEX_URL. Does nothing when the lock has not changed since the last run.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

STAMP = "made-from"  # inside the environment: the digest of the lock it was made from


def pip_wheel(wheelhouse: Path | None, into: Path) -> Path:
    """Return a pip wheel: the wheelhouse's newest, else the index's newest.

    The index is asked by the JSON simple API (PEP 691) at PIP_INDEX_URL. Its digest is checked.
    """
    if wheelhouse is not None:
        found = sorted(wheelhouse.glob("pip-*.whl"))
        if not found:
            raise SystemExit(
                f"venv: no pip-*.whl in {wheelhouse}: build the kit again with flash.sh kit"
            )
        return found[-1]
    index = os.environ.get("PIP_INDEX_URL", "").rstrip("/")
    if not index:
        raise SystemExit(
            "venv: this python3 cannot make environments: apt-get install python3-venv, "
            "or set PIP_INDEX_URL to your package index and run it again"
        )
    accept = {"Accept": "application/vnd.pypi.simple.v1+json"}
    with urllib.request.urlopen(urllib.request.Request(f"{index}/pip/", headers=accept)) as answer:
        files = json.load(answer)["files"]
    released = {  # by version: an index lists in no order
        tuple(map(int, found[1].split("."))): file
        for file in files
        if (found := re.match(r"pip-([0-9.]+)-py3-none-any\.whl$", file["filename"]))
        and not file.get("yanked")
    }
    wheel = released[max(released)]
    with urllib.request.urlopen(wheel["url"]) as answer:
        content = answer.read()
    if hashlib.sha256(content).hexdigest() != wheel["hashes"]["sha256"]:
        raise SystemExit("venv: pip's wheel does not match the index's SHA-256: try again")
    path = into / wheel["filename"]
    path.write_bytes(content)
    return path


def make(
    target: Path, lock: Path, wheelhouse: Path | None, no_deps: bool, editable: Path | None
) -> None:
    """Create `target` and install exactly what `lock` pins; re-run only when the lock changes."""
    digest = hashlib.sha256(lock.read_bytes() + str(editable).encode()).hexdigest()
    stamp = target / STAMP
    python = target / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == digest and python.exists():
        return
    print(f"setting up {target} from {lock} …", flush=True)
    base = [sys.executable, "-m", "venv", "--clear"]
    if _can_make_venvs():
        subprocess.run([*base, str(target)], check=True)
        pip = [str(python), "-m", "pip"]
        _install(pip, lock, wheelhouse, no_deps, editable)
    else:
        subprocess.run([*base, "--without-pip", str(target)], check=True)
        with tempfile.TemporaryDirectory() as scratch:
            wheel = pip_wheel(wheelhouse, Path(scratch))
            _install([str(python), f"{wheel}/pip"], lock, wheelhouse, no_deps, editable)
    stamp.write_text(digest, encoding="utf-8")


def _can_make_venvs() -> bool:
    """Whether this python3 has ensurepip, after Debian was asked for it where we may."""
    missing = importlib.util.find_spec("ensurepip") is None
    if os.name == "posix" and missing and shutil.which("apt-get"):
        sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
        if not sudo or shutil.which("sudo"):
            command = [*sudo, "apt-get", "install", "-y", "-qq", "python3-venv"]
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        importlib.invalidate_caches()
    return importlib.util.find_spec("ensurepip") is not None


def _install(
    pip: list[str], lock: Path, wheelhouse: Path | None, no_deps: bool, editable: Path | None
) -> None:
    install = [*pip, "install", "-q", "--disable-pip-version-check"]
    if wheelhouse is not None:
        install += ["--no-index", "--find-links", str(wheelhouse)]
    first = [*install, "--require-hashes", "-r", str(lock)]
    if no_deps:
        first.append("--no-deps")
    subprocess.run(first, check=True)
    if editable is not None:
        own = [*install, "--no-deps", "--no-build-isolation", "-e", str(editable)]
        subprocess.run(own, check=True)


def main() -> int:
    """Command line; one sentence and exit code 2 when the index cannot be reached."""
    ask = argparse.ArgumentParser(description="virtual environment from a hashed lock")
    ask.add_argument("target", type=Path)
    ask.add_argument("lock", type=Path)
    ask.add_argument("--wheelhouse", type=Path)
    ask.add_argument("--no-deps", action="store_true", help="install the lock's rows only")
    ask.add_argument("--editable", type=Path, help="this project, installed in place")
    want = ask.parse_args()
    try:
        make(want.target, want.lock, want.wheelhouse, want.no_deps, want.editable)
    except (subprocess.CalledProcessError, OSError) as error:
        print(
            f"venv: {want.target} could not be made from {want.lock} ({error}): "
            "connect to the package index, or pass --wheelhouse with an offline kit",
            file=sys.stderr,
        )
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
