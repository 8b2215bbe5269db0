"""What goes wrong at a flashing bench: the table that tests and `make bench-flash` walk through.

Each fault is set up on a fresh bench, the unit is flashed, and the bench says what came of it: one
sentence, an exit code that is not 0, and no PASS row; with the fault taken away the same command
then makes the unit.
"""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import serial

from tests.fakes import micropython_image
from tests.fakes.bench_hand import Done
from tests.fakes.flash_bench import FlashBench

UNIT, OTHER = "u-0101", "u-0102"
MAC, OTHER_MAC = "24:0a:c4:00:00:01", "24:0a:c4:00:00:02"


@dataclass(frozen=True)
class Fault:
    """`set_up` runs the failing command and returns how it ended; `says` is in its sentence."""

    name: str
    says: str
    run: Callable[[FlashBench], Done]


def order(bench: FlashBench, port: str, unit: str = UNIT) -> Done:
    """Flash the unit without trying the Wi-Fi (there is none in these worlds)."""
    return bench.flash("--unit", unit, "--port", port, "--no-line-test")


def _board(**fault: Any) -> Callable[[FlashBench], Done]:
    return lambda bench: order(bench, bench.plug("a", mac=MAC, **fault).port)


def _busy(bench: FlashBench) -> Done:
    board = bench.plug("a", mac=MAC)
    with serial.Serial(board.port, exclusive=True):
        return order(bench, board.port)


def _gone(bench: FlashBench) -> Done:
    return order(bench, str(bench.folder / "ttyUSB7"))  # a pty's name may be another's by now


def _wrong_image(bench: FlashBench) -> Done:
    image = bench.folder / "s3.bin"
    image.write_bytes(micropython_image.make(chip=9))
    bench.plug("a", mac=MAC)
    kit = str(bench.folder / "new-kit")
    return bench.hand.run("--kit", kit, "kit", "--no-wheels", "--micropython", str(image))


def _corrupted_kit(bench: FlashBench) -> Done:
    copy = bench.folder / "copied-kit"
    shutil.copytree(bench.kit, copy)
    victim = copy / "app/lib/unit_main.mpy"
    content = bytearray(victim.read_bytes())
    content[100] ^= 4
    victim.write_bytes(content)
    port = bench.plug("a", mac=MAC).port
    return order(dataclasses.replace(bench, kit=copy), port)


def _other_board_first(bench: FlashBench, unit: str, mac: str) -> None:
    done = order(bench, bench.plug("b", mac=mac).port, unit)
    assert done.code == 0, done.text
    bench.unplug_all()


def _duplicate_mac(bench: FlashBench) -> Done:
    _other_board_first(bench, OTHER, MAC)
    return order(bench, bench.plug("b", mac=MAC).port)


def _duplicate_unit(bench: FlashBench) -> Done:
    _other_board_first(bench, UNIT, OTHER_MAC)
    return order(bench, bench.plug("a", mac=MAC).port)


def _power_lost(bench: FlashBench) -> Done:
    port = bench.plug("a", mac=MAC).port
    bench.hand.runner = ["-m", "tests.fakes.cut_ledger"]
    cut = order(bench, port)
    bench.hand.runner = ["-m", "flashing"]
    assert cut.code == -9, cut.text
    # a laptop without power says nothing: its next start does
    return dataclasses.replace(bench.tool("doctor", "--port", port), code=cut.code)


def _wrong_passphrase(bench: FlashBench) -> Done:
    port = bench.plug("a", mac=MAC).port
    right = (bench.folder / "passphrase").read_bytes()
    (bench.folder / "passphrase").write_bytes(b"another")
    done = order(bench, port)
    (bench.folder / "passphrase").write_bytes(right)
    return done


def _unanswered(bench: FlashBench) -> Done:
    bench.hand.answers = {"vibrate": "n"}
    done = order(bench, bench.plug("a", mac=MAC).port)
    bench.hand.answers = {}
    return done


FAULTS = [
    Fault("flipped bit", "did not keep what was written", _board(fault="flip@3")),
    Fault("unplug", "the board went away", _board(fault="unplug@3")),
    Fault("stall", "does not answer", _board(fault="stall@3")),
    Fault("silent port", "does not answer", _board(fault="silent")),
    Fault("busy port", "another program has the port open", _busy),
    Fault("no port", "no such port", _gone),
    Fault("wrong boot mode", "hold BOOT", _board(fault="bootmode")),
    Fault("wrong chip", "the unit needs an ESP32", _board(chip="esp32s3")),
    Fault("too small flash", "too small", _board(flash_mb=2)),
    Fault("wrong image", "another chip", _wrong_image),
    Fault("corrupted kit", "missing or damaged", _corrupted_kit),
    Fault("duplicate MAC", f"is unit {OTHER}", _duplicate_mac),
    Fault("duplicate unit", "replace --unit", _duplicate_unit),
    Fault("power lost during the ledger write", "torn by a power cut", _power_lost),
    Fault("wrong passphrase", "check the passphrase", _wrong_passphrase),
    Fault("receiver silent", "the receiver is silent", _board(silent=frozenset({"gps"}))),
    Fault("vibration not felt", "not felt", _unanswered),
]


@dataclass(frozen=True)
class Verdict:
    """What came of one fault; `clear` is the whole of it."""

    name: str
    sentence: str
    one_sentence: bool
    failed: bool
    no_pass: bool
    again: bool

    @property
    def clear(self) -> bool:
        return self.one_sentence and self.failed and self.no_pass and self.again


def try_fault(bench: FlashBench, fault: Fault, again: bool = True) -> Verdict:
    """Run one fault on a fresh bench; `again` also takes it away and makes the unit."""
    done = fault.run(bench)
    lines = [line for line in done.text.splitlines() if fault.says in line]
    one = len(lines) == 1 and "Traceback" not in done.text
    no_pass = bench.passed().count(UNIT) == (1 if fault.name == "duplicate unit" else 0)
    made = _again(bench, fault) if again else True
    sentence = re.sub(r"^.*?失败\s+", "", lines[0].strip()) if lines else done.text[-400:]
    return Verdict(fault.name, sentence, one, done.code != 0, no_pass, made)


def _again(bench: FlashBench, fault: Fault) -> bool:
    """Take the fault away (another board where that was it) and run the command again."""
    bench.unplug_all()
    another_board = fault.name in ("duplicate MAC", "wrong chip", "too small flash")
    if fault.name == "duplicate unit":
        done = order(bench, bench.plug("a", mac=MAC).port, "u-0103")
        return done.code == 0 and "u-0103" in bench.passed()
    mac = "24:0a:c4:00:00:09" if another_board else MAC
    done = order(bench, bench.plug("c" if another_board else "a", mac=mac).port)
    return done.code == 0 and bench.passed().count(UNIT) == 1
