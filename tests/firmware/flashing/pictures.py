"""Make the technician's pictures: what flash.sh really shows, on the board doubles.

    python -m tests.firmware.flashing.pictures      (make flash-pictures)

Written to firmware/flashing/pictures: a day's batch, a board pulled out, what the doctor finds, a
label. They are runs, not drawings: run it again after the words have changed.
"""

from __future__ import annotations

import io
import re
import tempfile
from pathlib import Path

from rich.console import Console

from flashing import batch, doctor, labels
from flashing.job import Workshop
from flashing.ledger import Ledger
from flashing.readout import ReadOut
from flashing.technician import Terminal
from tests.fakes.flash_bench import FlashBench, build_kit, make_batch

INTO = Path(__file__).resolve().parents[3] / "firmware/flashing/pictures"
WIDTH = 112


class Hands(Terminal):
    """A terminal whose person says yes and presses the button."""

    def __init__(self, console: Console, bench: FlashBench) -> None:
        super().__init__(console)
        self._bench = bench

    def say(self, port: str, text: str) -> None:
        super().say(port, text)
        if port in self._bench.hand.worlds:
            self._bench.hand.worlds[port].obey(port, text)

    def ask(self, port: str, question: str, seconds: float) -> bool | None:
        super().say(port, f"{question}  [y/n, {seconds:.0f} s] y")
        return True


def save(console: Console, name: str, title: str) -> None:
    """Write what the console showed as SVG that needs nothing from the internet."""
    svg = re.sub(r"@font-face \{.*?\}", "", console.export_svg(title=title), flags=re.DOTALL)
    INTO.mkdir(exist_ok=True)
    (INTO / f"{name}.svg").write_text(svg)


def recorder() -> Console:
    return Console(record=True, width=WIDTH, file=io.StringIO())


def flash(bench: FlashBench, shop_kit: object, units: list[str], ports: list[str]) -> Console:
    console = recorder()
    ledger = Ledger(bench.home)
    with Hands(console, bench) as person:
        shop = Workshop(shop_kit, bench.batch, ledger, person, ReadOut(bench.home, ledger))
        wanted = [batch.Wanted(unit, "lte") for unit in units]
        batch.run(shop, wanted, ports, lambda port: True, test_line=False)
    return console


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        made = build_kit(folder / "kit", 1_700_000)
        with FlashBench(folder, folder / "kit", make_batch(folder / "ca")) as bench:
            boards = [bench.plug(f"b{n}", mac=f"24:0a:c4:00:00:{n:02x}") for n in range(3)]
            boards.append(bench.plug("b3", mac="24:0a:c4:00:00:03", fault="unplug@20"))
            units = ["u-0101", "u-0102", "u-0103", "u-0104"]
            ports = [board.port for board in boards]
            title = "./flash.sh flash --batch units.csv"
            save(flash(bench, made, units, ports), "batch", title)
            bench.unplug_all()
            ill = bench.plug("b4", mac="24:0a:c4:00:00:04", fault="bootmode")
            console = recorder()
            for fault in doctor.examine([ill.port, "/dev/ttyUSB7"], Ledger(bench.home)):
                console.print(fault, highlight=False)
            save(console, "doctor", "./flash.sh doctor")
            held = Ledger(bench.home).holders()[0]
            labels.save([held], "c371500", INTO / "label.png")


if __name__ == "__main__":
    main()
