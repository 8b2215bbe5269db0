"""The ROMFS image: real MicroPython mounts it, and what it imports from there stays out of RAM."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from flashing import app, romfs
from tests.fakes.flash_bench import MPY_CROSS
from tests.fakes.interpreters import BUILDS

LOOK = """
import gc, os, sys, vfs
with open(sys.argv[1], "rb") as file:
    image = file.read()
vfs.mount(vfs.VfsRom(image), "/rom")
print(sorted(os.listdir("/rom/lib/near")), open("/rom/data.bin", "rb").read())
sys.path[:] = sys.argv[2:]
gc.collect()
before = gc.mem_alloc()
import near.inside
gc.collect()
print(near.inside.length(), gc.mem_alloc() - before < 2048)
"""
TEXT = "what would lie in the heap twice if it were not run in place, " * 100


@pytest.mark.parametrize("build", BUILDS)
def test_bytecode_runs_where_it_lies(build: str, tmp_path: Path) -> None:
    if not BUILDS[build].exists() and not os.environ.get("CI"):
        pytest.skip(f"{BUILDS[build]} is not built: make micropython32")
    (tmp_path / "near").mkdir()
    text = f"TEXT = {TEXT!r}\ndef length():\n    return len(TEXT)\n"
    compiled = app.compiled("near.inside", text, MPY_CROSS)
    (tmp_path / "near/inside.mpy").write_bytes(compiled)
    image = romfs.build({"/lib/near/inside.mpy": compiled, "/data.bin": b"\x00\xff"})
    (tmp_path / "rom.bin").write_bytes(image.ljust(64 * 1024, b"\xff"))
    (tmp_path / "look.py").write_text(LOOK)

    def look(path: str) -> list[str]:
        command = [str(BUILDS[build]), str(tmp_path / "look.py"), str(tmp_path / "rom.bin"), path]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    assert look("/rom/lib") == ["['inside.mpy'] b'\\x00\\xff'", f"{len(TEXT)} True"]
    assert look(str(tmp_path))[-1] == f"{len(TEXT)} False"


def test_a_file_is_no_folder() -> None:
    with pytest.raises(AssertionError, match="is a file"):
        romfs.build({"/lib": b"", "/lib/a.mpy": b""})
