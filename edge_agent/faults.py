"""What is wrong with agent.toml, as sentences: file, line, place, what, remedy.

pydantic finds the faults; here its error types become what a technician can act on. A type that
has no row keeps pydantic's own English.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_agent.toml_lines import Place, nearest

Schema = Mapping[str, Any]

# pydantic's error type -> "中文 / English"; {} are the error's context and `key`, `given`.
SAYS: dict[str, str] = {
    "missing": "缺少 {key}，请加上 / {key} is missing, add it",
    "int_parsing": "应为整数，不是 {given} / must be a whole number, not {given}",
    "int_type": "应为整数，不是 {given} / must be a whole number, not {given}",
    "int_from_float": "应为整数，不是 {given} / must be a whole number, not {given}",
    "float_parsing": "应为数字，不是 {given} / must be a number, not {given}",
    "float_type": "应为数字，不是 {given} / must be a number, not {given}",
    "decimal_parsing": "应为数字，不是 {given} / must be a number, not {given}",
    "decimal_type": "应为数字，不是 {given} / must be a number, not {given}",
    "bool_parsing": "应为 true 或 false，不是 {given} / must be true or false, not {given}",
    "bool_type": "应为 true 或 false，不是 {given} / must be true or false, not {given}",
    "string_type": "应为带引号的文字，不是 {given} / must be text in quotes, not {given}",
    "string_pattern_mismatch": "{given} 不合格式 / {given} does not fit {pattern}",
    "string_too_short": "太短，至少 {min_length} 个字符 / at least {min_length} characters",
    "string_too_long": "太长，最多 {max_length} 个字符 / at most {max_length} characters",
    "greater_than": "{given} 太小，应大于 {gt} / {given} is too small: above {gt}",
    "greater_than_equal": "{given} 太小，至少 {ge} / {given} is too small: at least {ge}",
    "less_than": "{given} 太大，应小于 {lt} / {given} is too large: below {lt}",
    "less_than_equal": "{given} 太大，最多 {le} / {given} is too large: at most {le}",
    "literal_error": "{given} 不可用，应为 / {given} is none of: {expected}",
    "model_type": "应为一个表 [{key}] / must be a table: [{key}]",
    "model_attributes_type": "应为一个表 [{key}] / must be a table: [{key}]",
    "tuple_type": "应为列表，用 [[{key}]] 或 [ … ] / must be a list: [[{key}]] or [ … ]",
    "union_tag_not_found": "缺少 kind，应为 / kind is missing, one of: {expected}",
    "union_tag_invalid": "没有 kind = {tag}，可用 / no kind {tag}, there are: {expected}",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """str() is one line: agent.toml:14: sensor smoke, adress: 不认识的键 …"""

    file: Path
    line: int
    where: str
    says: str

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        return f"{self.file}:{self.line}: {where}{self.says}"


def of_errors(
    errors: list[Any], raw: Mapping[str, Any], lines: dict[Place, int], schema: Schema, file: Path
) -> list[Fault]:
    """pydantic's `errors()` -> faults, one each."""
    return [_of_error(error, raw, lines, schema, file) for error in errors]


def at(place: Place, says: str, raw: Any, lines: dict[Place, int], file: Path) -> Fault:
    """A fault of our own finding."""
    return Fault(file, nearest(lines, place), named(place, raw), says)


def named(place: Place, raw: Any) -> str:
    """("sensor", 2, "alarm", "high") -> `sensor smoke, alarm.high`."""
    parts: list[str] = []
    here = raw
    for step in place:
        here = _child(here, step)
        if isinstance(step, int):
            label = here if isinstance(here, dict) else {}
            name = label.get("id") or label.get("name") or label.get("number") or f"#{step + 1}"
            parts[-1] = f"{parts[-1]} {name},"
        elif parts and not parts[-1].endswith(","):
            parts[-1] += f".{step}"
        else:
            parts.append(step)
    return " ".join(parts).removesuffix(",")


def choose(word: object, words: list[str]) -> str:
    """What there is, and what may have been meant."""
    near = difflib.get_close_matches(str(word), words, n=1, cutoff=0.6)
    return ", ".join(words or ["-"]) + (f" → {near[0]} ?" if near else "")


def _of_error(
    error: Any, raw: Mapping[str, Any], lines: dict[Place, int], schema: Schema, file: Path
) -> Fault:
    place = _real(error["loc"], raw)
    context: dict[str, Any] = {**error.get("ctx", {})}
    context |= {"key": place[-1] if place else "", "given": _shown(error.get("input"))}
    kind: str = error["type"]
    if kind == "extra_forbidden":
        says = _unknown_key(place, raw, schema)
    elif kind in ("value_error", "assertion_error"):
        says = str(context["error"])
    else:
        if kind.startswith("union_tag"):
            context["expected"] = choose(context.get("tag", ""), _kinds(place, raw, schema))
        says = SAYS[kind].format_map(context) if kind in SAYS else str(error["msg"])
        if meaning := _meaning(place, raw, schema):
            says += f" ({meaning})"
    return at(place, says, raw, lines, file)


def _unknown_key(place: Place, raw: Mapping[str, Any], schema: Schema) -> str:
    known = sorted(_node(place[:-1], raw, schema).get("properties", {}))
    near = difflib.get_close_matches(str(place[-1]), known, n=1, cutoff=0.6)
    if near:
        return f"不认识这个键，是 {near[0]} 吗 / unknown key: did you mean {near[0]}?"
    return f"不认识这个键，可用 / unknown key, there are: {', '.join(known)}"


def _shown(given: object) -> str:
    text = repr(given) if not isinstance(given, bool) else str(given).lower()
    return text if len(text) <= 40 else text[:37] + "…"


def _child(here: Any, step: str | int) -> Any:
    try:
        return here[step]
    except (KeyError, IndexError, TypeError):
        return None


def _real(loc: tuple[str | int, ...], raw: Mapping[str, Any]) -> Place:
    """pydantic puts the kind of a union into its places; the file has no such step."""
    place: list[str | int] = []
    here: Any = raw
    for index, step in enumerate(loc):
        last = index == len(loc) - 1
        if isinstance(here, dict) and step not in here and not (last and step != here.get("kind")):
            continue
        if not isinstance(here, dict | list):
            break  # inside a value: a function of ours, a type of a union
        place.append(step)
        here = _child(here, step)
    return tuple(place)


def _node(place: Place, raw: Any, schema: Schema) -> Schema:
    """The JSON Schema of the table at `place`; the union's branch by the table's kind."""
    node = _resolve(schema, raw, schema)
    here = raw
    for step in place:
        here = _child(here, step)
        inner = node.get("items", {}) if isinstance(step, int) else None
        if inner is None:
            inner = node.get("properties", {}).get(step, {})
        node = _resolve(inner, here, schema)
    return node


def _resolve(node: Schema, here: Any, schema: Schema) -> Schema:
    while True:
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
        elif "discriminator" in node:
            kind = here.get("kind") if isinstance(here, dict) else None
            target = node["discriminator"]["mapping"].get(kind)
            if target is None:
                return node
            node = {"$ref": target}
        elif "anyOf" in node:  # "section or nothing"
            node = next((n for n in node["anyOf"] if n.get("type") != "null"), {})
        else:
            return node


def _meaning(place: Place, raw: Any, schema: Schema) -> str:
    """What the key is for, in the words of its section."""
    if not place:
        return ""
    properties: Schema = _node(place[:-1], raw, schema).get("properties", {})
    return properties.get(str(place[-1]), {}).get("description", "")


def _kinds(place: Place, raw: Any, schema: Schema) -> list[str]:
    return list(_node(place, raw, schema).get("discriminator", {}).get("mapping", {}))
