"""Write the figures in every README from tests/bench/results (make docs); a test keeps them fresh.

`make bench-NAME` prints one JSON object on its last line; the object of the last full run is kept
as tests/bench/results/NAME.json. Which figures are shown, what was wanted and the rung they stand
on are rows of tests/bench/figures.csv; `keys` are dotted paths, several are shown side by side.
A figure whose key is missing stands as "not measured". In the parts' READMEs a single figure stands
between marks: <!--=BENCH:KEY-->value<!--=-->.
"""

from __future__ import annotations

import csv
import json
import re
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "tests/bench/results"
SINGLE = re.compile(r"(<!--=(\w+):([\w./]+)-->).*?<!--=-->", re.S)
BEGIN, END = "<!-- figures: make docs -->", "<!-- /figures -->"


def value_of(bench: str, key: str) -> Any:
    """The value at a dotted path in a bench's results; None where there is none."""
    path = RESULTS / f"{bench}.json"
    found: Any = json.loads(path.read_text()) if path.exists() else None
    for part in key.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def text_of(value: Any) -> str:
    """A figure as a reader wants it: 3 significant digits, objects as `key value`."""
    if value is None:
        return "not measured"
    if isinstance(value, dict):
        return ", ".join(f"{key} {text_of(inner)}" for key, inner in value.items())
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def table() -> str:
    rows = ["| claim | measured | wanted | rung |", "| --- | --- | --- | --- |"]
    with (ROOT / "tests/bench/figures.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            values = [value_of(row["bench"], key) for key in row["keys"].split()]
            got = " / ".join(map(text_of, values))
            rows.append(f"| {row['claim']} | {got} | {row['wanted']} | {row['rung']} |")
    return "\n".join(rows)


def render(readme: str) -> str:
    """A README with its table and its single figures written anew between their marks."""
    if BEGIN in readme:
        head, _, rest = readme.partition(BEGIN)
        readme = f"{head}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}"
    return SINGLE.sub(lambda m: f"{m[1]}{text_of(value_of(m[2], m[3]))}<!--=-->", readme)


def readmes() -> list[Path]:
    """Every README of the project."""
    listed = subprocess.run(
        ["git", "ls-files", "README.md", "*/README.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / line for line in listed.stdout.splitlines()]


if __name__ == "__main__":
    for path in readmes():
        path.write_text(render(path.read_text()))
