"""The commands with boards on the table: flash, replace, check, read-out, doctor."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from flashing import batch, doctor, identities, kit, ports, readout, traces
from flashing.chip import Chip
from flashing.command_line import Commands
from flashing.errors import FlashError
from flashing.job import Order, Workshop, at_falling_bauds, check_unit, make_unit
from flashing.ledger import Ledger
from flashing.passphrase import ask_passphrase
from flashing.technician import Terminal


def add(commands: Commands) -> None:
    """Add these commands to the parser; each sets `run`."""
    flash = commands.add_parser("flash", help="make a unit, or a list of units on several ports")
    what = flash.add_mutually_exclusive_group(required=True)
    what.add_argument("--unit", help="u-0123")
    what.add_argument("--batch", type=Path, metavar="CSV", help="columns unit,board")
    _port(flash, "--port may be given several times with --batch")
    _making(flash)
    flash.set_defaults(run=_flash)
    replace = commands.add_parser("replace", help="a new board takes over a dead unit's number")
    replace.add_argument("--unit", required=True)
    _port(replace)
    _making(replace)
    replace.set_defaults(run=_replace)
    check = commands.add_parser("check", help="test a made unit again")
    check.add_argument("--unit", required=True)
    _port(check)
    _making(check)
    check.set_defaults(run=_check)
    read_out = commands.add_parser("read-out", help="save a unit's unsent records")
    _port(read_out)
    read_out.set_defaults(run=_read_out)
    trace = commands.add_parser(
        "trace", help="what a unit printed (stdin), with lines of the source"
    )
    trace.set_defaults(run=_trace)
    examine = commands.add_parser("doctor", help="what is wrong with this bench")
    _port(examine)
    examine.set_defaults(run=_doctor)


def _trace(want: argparse.Namespace) -> int:
    print(traces.translate(sys.stdin.read(), want.kit), end="")
    return 0


def _port(parser: argparse.ArgumentParser, more: str = "") -> None:
    parser.add_argument("--port", action="append", default=[], help=f"/dev/ttyUSB0, COM5 {more}")


def _making(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--board", default="lte", help="folder of hardware/boards (default lte)")
    parser.add_argument("--identities", type=Path, metavar="FILE", help="what ca issue-batch wrote")
    parser.add_argument("--passphrase-file", type=Path, help="instead of being asked")
    parser.add_argument("--no-line-test", action="store_true", help="leave Wi-Fi and broker out")


def _shop(want: argparse.Namespace, person: Terminal) -> Workshop:
    ledger = Ledger(want.home)
    if ledger.torn:
        person.say("ledger", "its last line was torn by a power cut: flash that unit again")
    sealed = want.identities or _only_batch(want.home)
    opened = identities.unseal(sealed, ask_passphrase(want.passphrase_file, sealed.name))
    saved = readout.ReadOut(want.home / "read-out", ledger)
    opened_kit = kit.open_kit(want.kit)
    if not opened_kit.image.romfs:
        person.say("kit", kit.NO_ROMFS)
    return Workshop(opened_kit, opened, ledger, person, saved)


def _only_batch(home: Path) -> Path:
    found = sorted(home.glob("*.identities"))
    if len(found) != 1:
        raise FlashError(
            f"identities: {len(found)} batch files are in {home}: name one with --identities"
        )
    return found[0]


def _one_port(want: argparse.Namespace) -> str:
    if len(want.port) > 1:
        raise FlashError("port: this is done with one board: give one --port")
    return want.port[0] if want.port else ports.choose(ports.found())


def _flash(want: argparse.Namespace) -> int:
    if want.batch is None:
        return _make(want, replacing=False)
    wanted = batch.load(want.batch)
    devices = want.port or [port.device for port in ports.found()]
    if not devices:
        ports.choose([])
    places = {port.device: f"({port.place})" for port in ports.found() if port.place}
    with Terminal(Console(), places) as person:
        shop = _shop(want, person)
        batch.refuse(shop, wanted, devices)
        results = batch.run(shop, wanted, devices, ports.present, not want.no_line_test)
    made = {held.unit for held in shop.ledger.holders()}
    missing = [row.unit for row in wanted if row.unit not in made]
    print(f"made {sum(not r.fault for r in results)}, failed {sum(bool(r.fault) for r in results)}")
    if missing:
        print(f"not made yet: {', '.join(missing)}: run the list again")
    return 1 if missing else 0


def _replace(want: argparse.Namespace) -> int:
    return _make(want, replacing=True)


def _make(want: argparse.Namespace, replacing: bool) -> int:
    port = _one_port(want)
    with Terminal(Console()) as person:
        shop = _shop(want, person)
        order = Order(port, want.unit, want.board, replacing, not want.no_line_test)
        try:
            make_unit(shop, order)
        except FlashError as error:
            person.ended(port, want.unit, str(error))
            return 1
        person.ended(port, want.unit, "")
    return 0


def _check(want: argparse.Namespace) -> int:
    port = _one_port(want)
    with Terminal(Console()) as person:
        check_unit(_shop(want, person), port, want.unit, not want.no_line_test)
        person.ended(port, want.unit, "")
    return 0


def _read_out(want: argparse.Namespace) -> int:
    port = _one_port(want)
    with Terminal(Console()) as person:
        saved = readout.ReadOut(want.home / "read-out", Ledger(want.home))

        def work(chip: Chip) -> None:
            home = readout.find_home(chip, [])
            if home is None:
                raise FlashError(f"{port}: this board holds nothing of a unit: take another board")
            saved.save(readout.take(chip, home), chip.facts.mac, person, port)
            chip.reset()

        at_falling_bauds(person, port, work)
    return 0


def _doctor(want: argparse.Namespace) -> int:
    devices = want.port or [port.device for port in ports.found()]
    faults = doctor.examine(devices, Ledger(want.home))
    for fault in faults:
        print(fault)
    if not faults:
        print(f"all is well with {', '.join(devices)}")
    return 1 if faults else 0
