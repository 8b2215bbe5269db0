"""`make bench-flash`: four units at once, and everything that goes wrong at a bench (issue 9).

Real esptool, real LittleFS, real MicroPython; the boards are tests/fakes/esp32_board.py, so baud
rates and reset lines are not measured here. The network is off: the whole run is in a network
namespace of its own. Prints one JSON object on its last line, times in seconds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "firmware")]

from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import serialization  # noqa: E402
from cryptography.x509.oid import NameOID  # noqa: E402

from flashing import (  # noqa: E402
    filesystem,
    identities,
    kit,
    layout,
    micropython_image,
    unit_files,
)
from tests.fakes.esp32_board import Esp32Board  # noqa: E402
from tests.fakes.flash_bench import FlashBench, build_kit, make_batch  # noqa: E402
from tests.fakes.flash_faults import FAULTS, try_fault  # noqa: E402

APP_BYTES = 1_700_000  # about the size of ESP32_GENERIC's application
SIZES_MB = [4, 4, 8, 16]
IN_OWN_NETWORK = "PATROL_BENCH_OFFLINE"


def esptool(port: str, *arguments: str) -> None:
    command = [sys.executable, "-m", "esptool", "--port", port, "--baud", "921600", *arguments]
    subprocess.run(command, check=True, capture_output=True)


def places_of(bench: FlashBench, megabytes: int) -> layout.Layout:
    image = micropython_image.check((bench.kit / "micropython.bin").read_bytes())
    return layout.plan(image, megabytes * 2**20)


def parallel(bench: FlashBench) -> dict[str, Any]:
    """Make four units at once; compare what each board holds with what its row says."""
    boards = [
        bench.plug(f"p{i}", mac=f"24:0a:c4:00:01:{i:02x}", flash_mb=megabytes)
        for i, megabytes in enumerate(SIZES_MB)
    ]
    units = bench.folder / "units.csv"
    units.write_text(
        "unit,board\n" + "".join(f"u-{n},lte\n" for n in (["0111", "0112", "0113", "0114"]))
    )
    ports = [part for board in boards for part in ("--port", board.port)]
    done = bench.flash("--batch", str(units), *ports, "--no-line-test")
    assert done.code == 0, done.text
    rows = {row["mac"]: row for row in bench.rows() if row["event"] == "pass"}
    mixed = sum(not consistent(board, rows[board.mac], bench) for board in boards)
    mixed += len(rows) - len({row["serial"] for row in rows.values()})
    identical = all(read_back(bench, b, mb) for b, mb in zip(boards, SIZES_MB, strict=True))
    return {
        "units": len(rows),
        "mixed": mixed,
        "readback_identical": identical,
        "sizes_mb": sorted({row["flash_mb"] for row in rows.values()}),
        "batch_s": round(done.seconds, 2),
        "wall_s": [row["seconds"] for row in rows.values()],
        "write_s": [row["write_seconds"] for row in rows.values()],
    }


def consistent(board: Esp32Board, row: dict[str, Any], bench: FlashBench) -> bool:
    """Tell whether identity, certificate, key and ledger of one board are all of one unit."""
    home = places_of(bench, row["flash_mb"]).home
    files = filesystem.read(board.flash.read_bytes()[home.offset : home.end])
    cert = x509.load_der_x509_certificate(files["/cert.der"])
    key = serialization.load_der_private_key(files["/key.der"], None)
    return (
        json.loads(files["/unit.json"])["unit"] == row["unit"]
        and cert.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == row["unit"]
        and f"{cert.serial_number:x}" == row["serial"]
        and key.public_key() == cert.public_key()
    )


def read_back(bench: FlashBench, board: Esp32Board, megabytes: int) -> bool:
    """Read image, program and file system with a stock esptool; compare with what was meant."""
    places = places_of(bench, megabytes)
    row = next(r for r in bench.rows() if r["event"] == "pass" and r["mac"] == board.mac)
    (who,) = [i for i in bench.batch.units[row["unit"]] if i.serial == row["serial"]]
    opened = kit.open_kit(bench.kit)
    meant = unit_files.assemble(opened, bench.batch, row["unit"], who, row["board"])
    *fixed, (home_at, _) = places.regions(meant)
    same = all(read_flash(bench, board, at, len(b)) == b for at, b in fixed)
    # The unit has run since, and keeps its queue and log there: file by file, not byte by byte.
    files = filesystem.read(read_flash(bench, board, home_at, places.home.size))
    own = {path: data for path, data in meant.items() if not path.startswith("/rom/")}
    return same and all(files.get(path) == data for path, data in own.items())


def read_flash(bench: FlashBench, board: Esp32Board, at: int, size: int) -> bytes:
    back = bench.folder / "back.bin"
    esptool(board.port, "read-flash", hex(at), str(size), str(back))
    return back.read_bytes()


def esptool_alone(bench: FlashBench) -> list[float]:
    """Time stock esptool on the same bytes, four boards at once as in `parallel`."""

    def one(number: int, megabytes: int) -> float:
        places = places_of(bench, megabytes)
        assert places.rom is not None
        flash = (bench.folder / f"p{number}/flash.bin").read_bytes()
        parts: list[str] = []
        for at, end in (
            (0x1000, 0x1000 + len(places.image)),
            (places.rom.offset, places.rom.end),
            (places.home.offset, places.home.end),
        ):
            part = bench.folder / f"part{number}-{at:x}.bin"
            part.write_bytes(flash[at:end])
            parts += [hex(at), str(part)]
        with Esp32Board(bench.folder / f"e{number}", flash_mb=megabytes) as board:
            began = time.monotonic()
            esptool(board.port, "write-flash", *parts)
            return round(time.monotonic() - began, 2)

    with ThreadPoolExecutor(len(SIZES_MB)) as pool:
        return list(pool.map(one, range(len(SIZES_MB)), SIZES_MB))


def faults(folder: Path, kit: Path, batch: identities.Batch) -> dict[str, Any]:
    """Try every fault on a bench of its own."""
    clear = 0
    for number, fault in enumerate(FAULTS):
        with FlashBench(folder / f"fault{number}", kit, batch) as bench:
            verdict = try_fault(bench, fault)
        clear += verdict.clear
        print(f"{'ok  ' if verdict.clear else 'BAD '} {fault.name}: {verdict.sentence}", flush=True)
        if not verdict.clear:
            print(f"     {verdict}", flush=True)
    return {"tried": len(FAULTS), "clear": clear}


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        kit = folder / "kit"
        build_kit(kit, APP_BYTES)
        batch = make_batch(folder / "ca")
        with FlashBench(folder / "four", kit, batch) as bench:
            result = parallel(bench)
            bench.unplug_all()
            result["esptool_s"] = esptool_alone(bench)
        result["faults"] = faults(folder, kit, batch)
    result["network"] = "off" if os.environ.get(IN_OWN_NETWORK) else "on"
    good = result["mixed"] == 0 and result["readback_identical"]
    good = good and result["faults"]["tried"] == result["faults"]["clear"]
    print(json.dumps({"ok": good and result["network"] == "off", **result}))
    return 0 if good else 1


if __name__ == "__main__":
    if IN_OWN_NETWORK not in os.environ:
        offline = ["unshare", "--net", "--map-root-user", sys.executable, *sys.argv]
        probe = subprocess.run([*offline[:3], "true"], capture_output=True)
        if probe.returncode == 0:
            os.environ[IN_OWN_NETWORK] = "1"
            os.execvp(offline[0], offline)
    sys.exit(main())
