"""The ledger: what this laptop made, one JSON line each, never changed, merged by union.

A row is true once it is on the disk: PASS is appended last, with fsync, so a laptop that dies
before that has not passed the unit. A line torn by a power cut has no newline at its end; it is
cut off before the next row is written and reported, never read as a row. Merging is the union of
rows, so that merging twice, or in any order, gives the same ledger. (laptop, n) names a row once;
where it names two, a laptop was set back to an old copy: both are kept, and it is told.
The ledger holds no secret.

Events: `pass` (a unit was made and tested), `check` (tested again), `revoke` (a certificate),
`read-out` (records were taken off before a reflash).
"""

from __future__ import annotations

import csv
import datetime
import io
import json
import os
import uuid
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flashing.errors import FlashError
from flashing.files import append_line, locked, write_private

Row = dict[str, Any]
COLUMNS = ["at", "event", "unit", "mac", "board", "serial", "laptop", "n", "why"]  # of an export


@dataclass(frozen=True)
class Holder:
    """The unit that a board is, as the newest rows say."""

    unit: str
    mac: str
    serial: str
    at: str


class Ledger:
    """The ledger in `folder`: `ledger.jsonl` and this laptop's name in `laptop`."""

    def __init__(self, folder: Path) -> None:
        self._path, self._lock = folder / "ledger.jsonl", folder / "lock"
        with locked(self._lock):
            self.laptop = _laptop(folder / "laptop")
            self.torn = _cut_torn_tail(self._path)  # whether the last write was interrupted
            self.rows: list[Row] = _read(self._path)

    def add(self, event: str, **fields: Any) -> Row:
        """Append one row and return once it is on the disk.

        Several jobs, and several flash.sh, write one ledger: under the lock it is read again, and
        a PASS is refused if the other one gave the board or the unit away meanwhile.
        """
        with locked(self._lock):
            _cut_torn_tail(self._path)
            self.rows = _read(self._path)
            if event == "pass":
                self.refuse(fields["unit"], fields["mac"], replacing=False)
            own = [row["n"] for row in self.rows if row["laptop"] == self.laptop]
            row: Row = {"laptop": self.laptop, "n": max(own, default=0) + 1, "event": event}
            row["at"] = datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds")
            row.update(fields)
            try:
                append_line(self._path, _line(row))
            except OSError as error:
                raise FlashError(
                    f"ledger: {self._path} cannot be written ({error.strerror}): make room on the "
                    "disk and flash this unit again"
                ) from error
            self.rows.append(row)
            return row

    def revoked(self) -> set[str]:
        """Return the serials (hex) of all certificates that no longer count."""
        return {row["serial"] for row in self.rows if row["event"] == "revoke"}

    def holders(self) -> list[Holder]:
        """Return the living units: the newest PASS of each whose certificate still counts."""
        dead = self.revoked()
        newest: dict[str, Row] = {}
        for row in sorted(self.rows, key=_order):
            if row["event"] == "pass" and row["serial"] not in dead:
                newest[row["unit"]] = row
        return [
            Holder(row["unit"], row["mac"], row["serial"], row["at"]) for row in newest.values()
        ]

    def refuse(self, unit: str, mac: str, replacing: bool) -> None:
        """Raise unless this board may become this unit."""
        for held in self.holders():
            if held.mac == mac and held.unit != unit:
                raise FlashError(
                    f"ledger: this board ({mac}) is unit {held.unit} since {held.at[:10]}: take "
                    f"another board, or first run ./flash.sh revoke --unit {held.unit}"
                )
            if held.unit == unit and held.mac != mac and not replacing:
                raise FlashError(
                    f"ledger: unit {unit} is the board {held.mac} since {held.at[:10]}: give this "
                    f"board another number, or run ./flash.sh replace --unit {unit}"
                )

    def merge(self, other: Path) -> int:
        """Take over the rows of another laptop's ledger; return how many were new."""
        if not other.is_file():
            raise FlashError(f"ledger: {other} is no file: name the other laptop's ledger.jsonl")
        with locked(self._lock):
            _cut_torn_tail(self._path)
            self.rows = _read(self._path)
            known = {_line(row) for row in self.rows}
            fresh = {_line(row): row for row in _read(other) if _line(row) not in known}
            if fresh:
                self.rows = sorted([*self.rows, *fresh.values()], key=_order)
                write_private(self._path, "".join(_line(r) + "\n" for r in self.rows).encode())
            return len(fresh)

    def conflicts(self) -> list[str]:
        """Return a sentence for each board or number given away twice, and each laptop set back."""
        by_mac: dict[str, list[str]] = {}
        boards: dict[str, set[str]] = {}
        dead = self.revoked()
        for held in self.holders():
            by_mac.setdefault(held.mac, []).append(held.unit)
        for row in self.rows:
            if row["event"] == "pass" and row["serial"] not in dead:
                boards.setdefault(row["unit"], set()).add(row["mac"])
        twice = [
            f"board {mac} is {' and '.join(sorted(units))}: revoke the wrong one"
            for mac, units in by_mac.items()
            if len(units) > 1
        ]
        names = Counter((row["laptop"], row["n"]) for row in self.rows)
        set_back = sorted({laptop for (laptop, _), count in names.items() if count > 1})
        twice += [
            f"{laptop} was set back to an old copy, or copied: remove the file `laptop` beside its "
            "ledger, so that it takes a new name"
            for laptop in set_back
        ]
        return twice + [
            f"unit {unit} is on boards {' and '.join(sorted(macs))}: flash one of them again"
            for unit, macs in boards.items()
            if len(macs) > 1
        ]

    def export(self) -> str:
        """Return the rows as CSV."""
        out = io.StringIO()
        table = csv.DictWriter(out, COLUMNS, extrasaction="ignore", restval="")
        table.writeheader()
        table.writerows(self.rows)
        return out.getvalue()


def _order(row: Row) -> tuple[str, str, int, str]:
    return row["at"], row["laptop"], row["n"], _line(row)


def _line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, sort_keys=True)


def _read(path: Path) -> list[Row]:
    """Return the whole rows; a torn last line is not one."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]
    try:
        rows: list[Row] = [json.loads(line) for line in lines]
        sorted(rows, key=_order)  # every row says when, where and which
        return rows
    except (ValueError, KeyError, TypeError) as error:
        raise FlashError(
            f"ledger: {path} is damaged in the middle: restore it, or merge another laptop's"
        ) from error


def _cut_torn_tail(path: Path) -> bool:
    """Remove an unfinished last line; tell whether there was one."""
    if not path.exists():
        return False
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole == len(content):
        return False
    with path.open("r+b") as file:
        file.truncate(whole)
        os.fsync(file.fileno())
    return True


def _laptop(path: Path) -> str:
    """Return this laptop's name: drawn once, so that two laptops never share a row number."""
    if not path.exists():
        write_private(path, f"laptop-{uuid.uuid4().hex[:8]}\n".encode())
    return path.read_text(encoding="utf-8").strip()
