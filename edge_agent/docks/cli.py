"""`checkpoint-agent docks` and `checkpoint-agent custody`. They read the store beside a running
agent: the ledger takes several processes."""

from __future__ import annotations

import argparse
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table

from edge_agent.config import Config, ConfigError, load
from edge_agent.docks import custody, release
from edge_agent.docks.chunks import check
from edge_agent.docks.export import export, sentence
from edge_agent.docks.ledger import Ledger
from edge_agent.docks.rows import Docking, Recording, readable
from edge_agent.docks.states import FAULTS, NEEDS_CAMERA, ON_DISK, SAYS

CONFIG = Path("/etc/checkpoint-agent/agent.toml")


class Stop(Exception):
    """One sentence for the operator; exit code 2."""


def add_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]
    """Each sets `func`: callable(args) -> exit code."""
    docks = subparsers.add_parser("docks", help="what is in the bays, file by file")
    _config(docks)
    docks.add_argument("--watch", action="store_true", help="keep looking, until Ctrl-C")
    docks.set_defaults(func=_guarded(_show))
    more = docks.add_subparsers(metavar="hold|unhold")
    for name, on in (("hold", True), ("unhold", False)):
        hold = more.add_parser(name, help="keep a recording without end" if on else "no longer")
        hold.add_argument("recording", help="its id, as `docks` shows it")
        hold.add_argument("--who", required=True, help="your name")
        hold.add_argument("--why", required=True, help="evidence, obstruction, major incident …")
        hold.set_defaults(func=_guarded(_hold), on=on)

    chain = subparsers.add_parser("custody", help="the chain of custody")
    kinds = chain.add_subparsers(required=True, metavar="verify|export")
    verify = kinds.add_parser("verify", help="name the first edited, removed or missing row")
    export_ = kinds.add_parser("export", help="a zip that a lawyer can open")
    for each in (verify, export_):
        _config(each)
        each.add_argument(
            "--public-key", type=Path, action="append", help="PEM, the county's own copy of it"
        )
    verify.add_argument("--pinned", metavar="ROW:HEAD", help="as the county was told")
    verify.add_argument("--files", action="store_true", help="read every sealed file as well")
    verify.set_defaults(func=_guarded(_verify))
    export_.add_argument("out", type=Path)
    export_.add_argument("--recording", help="list only this one")
    export_.set_defaults(func=_guarded(_export))


def _config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-c", "--config", type=Path, default=CONFIG, help=f"default: {CONFIG}")


def _guarded(command: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    def run(args: argparse.Namespace) -> int:
        try:
            return command(args)
        except (Stop, ConfigError, release.Refused) as error:
            print(error, file=sys.stderr)
            return 2

    return run


def _open(args: argparse.Namespace) -> tuple[Config, Ledger, Path]:
    config = load(args.config)
    if config.docks is None:
        raise Stop(f"{args.config} 没有 [docks] / there is no [docks] section")
    store = config.docks.store
    if not (store / "ledger.db").exists():
        raise Stop(f"{store} 还没有记录 / no recordings yet: the agent has not run with this store")
    try:
        key = custody.load_key(config.docks.key or store / "custody.key")
        return config, Ledger(store / "ledger.db", key), store
    except (ValueError, sqlite3.DatabaseError) as error:
        raise Stop(f"{store}: {error}") from error


def _show(args: argparse.Namespace) -> int:
    _, ledger, _ = _open(args)
    if not args.watch:
        Console().print(_tables(ledger))
        return 0
    with Live(_tables(ledger), refresh_per_second=2) as live:
        try:
            while True:
                time.sleep(0.5)
                live.update(_tables(ledger))
        except KeyboardInterrupt:
            return 0


def _tables(ledger: Ledger) -> Group:
    """Cameras that are in a bay now; when there is none, the last one."""
    here = ledger.dockings("ended_ms IS NULL") or ledger.dockings(
        "id = (SELECT max(id) FROM docking)"
    )
    return Group(*(_table(docking, ledger.of(docking)) for docking in here))


def _table(docking: Docking, rows: list[Recording]) -> Table:
    where = docking.bay if docking.ended_ms is None else f"{docking.bay}（已取走 / taken out）"
    members = ", ".join(sorted({row.member for row in rows if row.member}))
    table = Table(title=escape(f"{where}  {docking.camera}  {members}"), title_justify="left")
    for head in ("id", "文件 / file", "MB", "", "状态 / state"):
        table.add_column(head, justify="right" if head == "MB" else "left")
    for row in rows:
        done = row.size if row.state not in NEEDS_CAMERA else row.copied
        bar = ProgressBar(total=max(row.size, 1), completed=done if row.size else 1, width=20)
        colour = "red" if row.state in FAULTS else "green" if row.state in ON_DISK else ""
        held = " 保留 / held" if row.held else ""
        text = f"{SAYS[row.state]} / {row.state}"
        state = f"[{colour}]{text}[/]" if colour else text
        table.add_row(
            row.id, escape(readable(row.path)), f"{row.size / 1e6:.1f}", bar, state + held
        )
    return table


def _hold(args: argparse.Namespace) -> int:
    _, ledger, _ = _open(args)
    release.hold(ledger, args.recording, args.who, args.why, args.on)
    return 0


def _keys(args: argparse.Namespace, ledger: Ledger) -> list[custody.PublicKey]:
    if not args.public_key:
        return custody.named_keys(ledger.db)
    try:
        return [custody.public_key(path.read_bytes()) for path in args.public_key]
    except (OSError, ValueError) as error:
        raise Stop(f"--public-key: {error}") from error


def _verify(args: argparse.Namespace) -> int:
    _, ledger, store = _open(args)
    pinned = None
    if args.pinned:
        row, _, head = args.pinned.partition(":")
        if not row.isdigit() or len(head) != 64:
            raise Stop("--pinned: write ROW:HEAD, a number and 64 hex characters")
        pinned = int(row), head.lower()
    verdict = custody.verify(ledger.db, _keys(args, ledger), pinned)
    print(sentence(verdict))
    bad = _bad_files(ledger, store) if args.files else []
    for line in bad:
        print(line)
    return 1 if verdict.fault or bad else 0


def _bad_files(ledger: Ledger, store: Path) -> list[str]:
    bad: list[str] = []
    for row in ledger.recordings():
        if row.state in ON_DISK and row.file:
            seen = check(store / "bags" / row.file, ledger.chunks(row.id))
            if seen.why or seen.state.hexdigest() != row.sha256:
                bad.append(f"{row.file}: {seen.why or 'not the bytes that were sealed'}")
    return bad


def _export(args: argparse.Namespace) -> int:
    config, ledger, _ = _open(args)
    verdict = export(ledger, args.out, config.checkpoint.id, _keys(args, ledger), args.recording)
    print(f"{args.out}: {sentence(verdict)}")
    return 1 if verdict.fault else 0
