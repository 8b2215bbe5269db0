"""Write MESSAGES.md from the contract's rows (make docs); a test fails when it is stale."""

from __future__ import annotations

from pathlib import Path

from patrol_contract import messages, signing
from patrol_contract.examples import EXAMPLES
from patrol_contract.fields import Field, made

PATH = Path(__file__).resolve().parents[2] / "firmware/patrol_contract/MESSAGES.md"
KLASS = ("SOS and custody", "event", "telemetry")


def fields_table(fields: dict[str, Field]) -> list[str]:
    rows = ["| field | type | unit |", "| --- | --- | --- |"]
    for key, field in fields.items():
        name = f"`{key.rstrip('?')}`" + (" (optional)" if key.endswith("?") else "")
        rows.append(f"| {name} | {field.kind} | {field.unit} |")
    return rows


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
    for name, row in messages.MESSAGES.items():
        retain = "yes" if row.retain else "no"
        out.append(
            f"| [`{row.topic}`](#{name}) | {row.sender} | {row.qos} | {retain} "
            f"| {KLASS[row.klass]} | {EXAMPLES[name][0]} |"
        )
    for name, row in messages.MESSAGES.items():
        out += ["", f"## {name}", "", f"`{row.topic}`: {EXAMPLES[name][0]}.", ""]
        out += fields_table(row.fields)
        out += ["", "```json", messages.encode(name, EXAMPLES[name][1]).decode(), "```"]
    for title, kinds in (
        ("Commands to units and groups", messages.COMMANDS["unit_cmd"]),
        ("Commands to checkpoints", messages.COMMANDS["cp_cmd"]),
    ):
        out += ["", f"## {title}", "", "| `cmd` | own fields |", "| --- | --- |"]
        for cmd, fields in kinds.items():
            own = "; ".join(f"`{k}` {f.kind} {f.unit}".strip() for k, f in made(fields).items())
            out.append(f"| `{cmd}` | {own} |")
    out += ["", "## Refusals", "", "| `why` | meaning |", "| --- | --- |"]
    out += [f"| `{why}` | {meaning} |" for why, meaning in signing.REFUSALS.items()]
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    PATH.write_text(render())
