"""Several boards at once: a thread for each port, the next unit of the list for each free one.

A fault on one port is that unit's fault alone. A unit that the ledger holds already is left out, so
the same list can be run again until it is empty. Boards are changed while the list runs: a port
takes its next unit when its board went away and another one came.
"""

from __future__ import annotations

import csv
import io
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flashing.errors import FlashError, of_the_system
from flashing.job import Order, Workshop, make_unit

CHANGE_SECONDS = 300.0  # to take one board out and plug the next one in
LOOK_SECONDS = 0.3


@dataclass(frozen=True)
class Wanted:
    """One line of units.csv."""

    unit: str
    board: str


@dataclass(frozen=True)
class Result:
    """How one unit ended; `fault` is '' for a PASS."""

    unit: str
    port: str
    fault: str
    seconds: float


def load(path: Path) -> list[Wanted]:
    """Return the lines of a CSV with columns unit and board; every fault is told at once."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FlashError(
            f"list: {path} cannot be read ({error.strerror}): name units.csv"
        ) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:  # Excel on a Chinese Windows writes GBK; names are ASCII in both
        text = content.decode("gb18030", errors="replace")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    wanted = [Wanted((r.get("unit") or "").strip(), (r.get("board") or "").strip()) for r in rows]
    faults = [
        f"line {line}: unit or board is empty"
        for line, row in enumerate(wanted, 2)
        if not (row.unit and row.board)
    ]
    names = [row.unit for row in wanted]
    faults += [
        f"{name} is there twice" for name in sorted({n for n in names if names.count(n) > 1})
    ]
    if faults or not wanted:
        raise FlashError(f"list: {path}: {'; '.join(faults) or 'no unit'}: correct the file")
    return wanted


def run(
    shop: Workshop,
    wanted: list[Wanted],
    ports: list[str],
    present: Callable[[str], bool],
    test_line: bool = True,
) -> list[Result]:
    """Make every unit of the list that is not made yet; `present` tells whether a port is there."""
    made = {held.unit for held in shop.ledger.holders()}
    waiting: queue.Queue[Wanted] = queue.Queue()
    for row in wanted:
        if row.unit in made:
            shop.person.say(row.unit, "is made already")
        else:
            waiting.put(row)
    for port in ports:
        shop.person.progress(port, "waiting", 0.0)  # the bars stand in the order of the sockets
    results: list[Result] = []
    # Daemons, and joined in slices: Ctrl-C must end the program on Windows too, where a join hears
    # nothing. A unit that is cut off there has no PASS.
    threads = [
        threading.Thread(
            target=_serve, args=(shop, port, waiting, results, present, test_line), daemon=True
        )
        for port in ports
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(LOOK_SECONDS)
    return results


def refuse(shop: Workshop, wanted: list[Wanted], ports: list[str]) -> None:
    """Raise for what would fail one unit after the other: before the first board is touched."""
    faults = [f"{port} is named twice" for port in sorted({p for p in ports if ports.count(p) > 1})]
    boards = sorted({row.board for row in wanted} - set(shop.kit.boards))
    faults += [f"{board!r} is no board of this kit" for board in boards]
    strangers = [row.unit for row in wanted if row.unit not in shop.batch.units]
    if strangers:
        faults.append(f"{', '.join(strangers)} not in this batch of identities")
    if faults:
        raise FlashError(f"list: {'; '.join(faults)}: correct the list, or take another batch file")


def _serve(
    shop: Workshop,
    port: str,
    waiting: queue.Queue[Wanted],
    results: list[Result],
    present: Callable[[str], bool],
    test_line: bool,
) -> None:
    """Make units on one port until the list is empty or nobody changes the board."""
    while True:
        try:
            row = waiting.get_nowait()
        except queue.Empty:
            return
        began = time.monotonic()
        fault = ""
        try:
            make_unit(shop, Order(port, row.unit, row.board, test_line=test_line))
        except FlashError as error:
            fault = str(error)
        except OSError as error:  # a full disk, a stick pulled out: the other ports may go on
            fault = str(of_the_system(error))
        result = Result(row.unit, port, fault, time.monotonic() - began)
        results.append(result)
        shop.person.ended(port, row.unit, fault)
        if waiting.empty() or not _changed(shop, port, present):
            return


def _changed(shop: Workshop, port: str, present: Callable[[str], bool]) -> bool:
    """Wait until the board on `port` was taken out and another one plugged in."""
    shop.person.say(port, "take this board out and plug the next one in")
    deadline = time.monotonic() + CHANGE_SECONDS
    for there in (False, True):
        while present(port) != there:
            if time.monotonic() > deadline:
                shop.person.say(port, "no new board came: run the list again for the rest")
                return False
            time.sleep(LOOK_SECONDS)
    return True
