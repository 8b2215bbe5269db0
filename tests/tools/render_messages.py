"""Write MESSAGES.md from the contract's rows (make docs); a test fails when it is stale."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from patrol_contract import catalogue, messages, signing
from patrol_contract.catalogue import MESSAGES
from patrol_contract.examples import EXAMPLES

PATH = Path(__file__).resolve().parents[2] / "firmware/patrol_contract/MESSAGES.md"
KLASS = ("SOS and custody", "event", "telemetry")
ENVELOPE = ("v", "boot", "seq")  # told once, above all messages
WORDS = (  # kind in the rows -> in words
    (r"Whole\((.*),(.*)\)", r"integer \1 to \2"),
    (r"Decimal\((.*),(.*),(.*)\)", r"decimal, \1 places, \2 to \3"),
    (r"Unix", r"s, Unix UTC, 2000 to 2100"),
    (r"Text\((.*),(.*)\)", r"text, \1 to \2 characters"),
    (r"Text\((.*),(.*)\) of (.*)", r"text, \1 to \2 characters of `\3`"),
    (r"Hex\((.*)\)", r"\1 hex characters"),
    (r"Slug\((.*)\)", r"text, 1 to \1 characters of `a`-`z`, `0`-`9`, `-`"),
    (r"Flag", r"true or false"),
    (r"Command\((.*)\)", r"the name of a [command](#commands-to-a-\1), whose fields follow"),
)


def words(kind: str) -> str:
    for pattern, said in WORDS:
        if re.fullmatch(pattern, kind):
            return re.sub(pattern, said, kind)
    if kind.startswith("One("):
        return "one of " + ", ".join(f"`{word}`" for word in kind[4:-1].split(","))
    if kind.startswith("List("):
        size, inner = kind[5:].split(") of ")
        return f"list of at most {size}: {words(inner)}"
    return f"[{kind}](#{kind})"


def table(name: str) -> Iterator[str]:
    yield from ("", "| field | type | unit, remarks |", "| --- | --- | --- |")
    rules = []
    for key, kind, note in catalogue.lines(name):
        if key == "!":
            rules.append(re.sub(r"\b(?!or\b|when\b|is\b)(\w+)", r"`\1`", kind))
        elif key not in ENVELOPE:
            optional = " (optional)" if key.endswith("?") else ""
            yield f"| `{key.rstrip('?')}`{optional} | {words(kind)} | {note} |"
    for rule in rules:
        yield from ("", f"Always with {rule}.")


def own(name: str) -> str:
    """A command's fields in one line."""
    fields = catalogue.lines(name)
    return "; ".join(f"`{key}` {words(kind)} {note}".strip() for key, kind, note in fields)


def render() -> str:
    out = [
        "# Messages",
        "",
        "Rendered from the rows in this folder by `make docs`; do not edit.",
        "",
        "`C` county, `U` unit, `G` group, `K` checkpoint, `S` sensor, `B` bay. Every payload also",
        "carries `v` = 1, `boot` (64 random bits of that boot, hex) and `seq` (from 1 in it, 0",
        "only in a will). `(sender, boot, seq)` is the idempotency key.",
        "",
        "| topic | from | QoS | retain | goes as | what |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, row in MESSAGES.items():
        retain = "yes" if row.retain else "no"
        out.append(
            f"| [`{row.topic}`](#{name}) | {row.sender} | {row.qos} | {retain} "
            f"| {KLASS[row.klass]} | {EXAMPLES[name][0]} |"
        )
    for name, row in MESSAGES.items():
        out += ["", f"## {name}", "", f"`{row.topic}`: {EXAMPLES[name][0]}."]
        out += table(name)
        out += ["", "```json", messages.encode(name, EXAMPLES[name][1]).decode(), "```"]
    for whose in ("unit", "checkpoint"):
        out += ["", f"## Commands to a {whose}", "", "| `cmd` | own fields |", "| --- | --- |"]
        out += [f"| `{cmd}` | {own(f'{whose}.{cmd}')} |" for cmd in catalogue.commands(whose)]
    out += ["", "## Objects"]
    for name in objects():
        out += ["", f"### {name}", *table(name)]
    out += ["", "## Refusals", "", "| `why` | meaning |", "| --- | --- |"]
    out += [f"| `{why}` | {meaning} |" for why, meaning in signing.REFUSALS.items()]
    return "\n".join(out) + "\n"


def objects() -> list[str]:
    """What some field is; not what is only taken in by other rows."""
    kinds = {
        kind.split(" of ")[-1] for row in catalogue.HEADS for _, kind, _ in catalogue.lines(row)
    }
    return [name for name, head in catalogue.HEADS.items() if head == "object" and name in kinds]


if __name__ == "__main__":
    PATH.write_text(render())
