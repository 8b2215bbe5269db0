"""agent.toml -> Config: typed, frozen, all faults at once with line and remedy.

Each room defines the model of its own section; here they are put together, and what no section
can see alone is checked: names that must differ, names that must exist.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import BeforeValidator, Field, ValidationError, WithJsonSchema, model_validator

from edge_agent import faults
from edge_agent.alarm_room import AlarmConfig
from edge_agent.buses import AnyBusSection
from edge_agent.clock import ClockConfig
from edge_agent.commands import CommandsConfig
from edge_agent.desk.config import DeskConfig, is_loopback
from edge_agent.docks.config import DocksConfig
from edge_agent.faults import Fault
from edge_agent.metrics import MetricsConfig
from edge_agent.outputs.kinds import KINDS as OUTPUT_KINDS
from edge_agent.outputs.section import OutputSection
from edge_agent.section import FilePath, Section, Slug
from edge_agent.sensors.kinds import KINDS as SENSOR_KINDS
from edge_agent.sensors.section import SensorSection
from edge_agent.toml_lines import Place, lines_of
from edge_agent.units.config import UnitsConfig
from edge_agent.uplink_config import UplinkConfig

if TYPE_CHECKING:
    AnySensor = SensorSection
    AnyOutput = OutputSection
else:  # what the registries hold: a new kind needs no line here
    AnySensor = Annotated[
        Union[tuple(kind.section for kind in SENSOR_KINDS.values())],  # noqa: UP007
        Field(discriminator="kind"),
    ]
    AnyOutput = Annotated[
        Union[tuple(kind.section for kind in OUTPUT_KINDS.values())],  # noqa: UP007
        Field(discriminator="kind"),
    ]


def _degree7(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return round(Decimal(str(value)) * 10**7)


# Degrees in the file, an int of 1e-7 degree inside: positions never pass through a float.
Latitude = Annotated[
    int,
    BeforeValidator(_degree7),
    Field(ge=-900_000_000, le=900_000_000),
    WithJsonSchema({"type": "number", "minimum": -90, "maximum": 90}),
]
Longitude = Annotated[
    int,
    BeforeValidator(_degree7),
    Field(ge=-1_800_000_000, le=1_800_000_000),
    WithJsonSchema({"type": "number", "minimum": -180, "maximum": 180}),
]


class Checkpoint(Section):
    """[checkpoint]: who we are."""

    id: Slug = Field(description="as in the certificate, e.g. k-07")
    county: Slug = Field(description="e.g. c371500")
    name: str = Field("", max_length=40, description="what staff read, e.g. 青石岭卡点")
    lat: Latitude | None = Field(None, description="WGS-84 degrees")
    lon: Longitude | None = Field(None, description="WGS-84 degrees")
    data_dir: FilePath = Field(
        Path("/var/lib/checkpoint-agent"), description="outbox and journals; a local disk"
    )


class Config(Section):
    """All of agent.toml."""

    checkpoint: Checkpoint
    uplink: tuple[UplinkConfig, ...] = ()
    units: UnitsConfig | None = None
    commands: CommandsConfig | None = None
    alarm: AlarmConfig = AlarmConfig()
    clock: ClockConfig = ClockConfig()
    metrics: MetricsConfig | None = None
    desk: DeskConfig = DeskConfig.model_validate({})
    bus: tuple[Annotated[AnyBusSection, Field(discriminator="kind")], ...] = ()
    sensor: tuple[AnySensor, ...] = ()
    output: tuple[AnyOutput, ...] = ()
    docks: DocksConfig | None = None

    @model_validator(mode="before")
    @classmethod
    def _own_certificate(cls, raw: Any) -> Any:
        """A page for others, without a certificate of its own, has the checkpoint's: the units'."""
        match raw:
            case {"desk": {"listen": str(listen)}, "units": {"cert": cert, "key": key}}:
                if is_loopback(listen.rpartition(":")[0].strip("[]")):
                    return raw
                return {**raw, "desk": {"cert": cert, "key": key, **raw["desk"]}}
            case _:
                return raw


class ConfigError(Exception):
    """str() is every fault, one a line; the caller ends with exit code 2."""

    def __init__(self, found: list[Fault]) -> None:
        self.faults = found
        super().__init__("\n".join(str(fault) for fault in found))


def load(path: Path) -> Config:
    """Raises ConfigError. Ports that are not plugged in are no fault here: the bus waits."""
    raw, text = _parsed(path)
    lines = lines_of(text)
    found = [faults.at(place, says, raw, lines, path) for place, says in _across(raw)]
    try:
        config = Config.model_validate(raw, context={"folder": path.resolve().parent})
    except ValidationError as exc:
        found += faults.of_errors(exc.errors(), raw, lines, schema(), path)
    else:
        if not found:
            return config
    raise ConfigError(sorted(found, key=lambda fault: fault.line)) from None


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of agent.toml, for editors; made from the types above."""
    made = Config.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def _parsed(path: Path) -> tuple[dict[str, Any], str]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = exc.object[: exc.start].count(b"\n") + 1
        says = "不是 UTF-8：用 UTF-8 另存（不是 GBK/ANSI）/ not UTF-8: save it as UTF-8"
        raise ConfigError([Fault(path, line, "", says)]) from exc
    except OSError as exc:
        says = (
            f"读不了配置文件（{exc.strerror}）：参照 edge_agent/deploy/agent.example.toml"
            " / cannot be read: correct the path, or begin with agent.example.toml"
        )
        raise ConfigError([Fault(path, 1, "", says)]) from exc
    try:
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError as exc:
        what, _, where = str(exc).partition(" (at line ")
        line = int(where.split(",")[0]) if where else text.count("\n") + 1
        says = f"TOML 语法错误，看这行和上一行 / TOML syntax, here or a line above: {what}"
        raise ConfigError([Fault(path, line, "", says)]) from exc


def _across(raw: Mapping[str, Any]) -> list[tuple[Place, str]]:
    """Faults between sections. Works on the raw tables, so that it finds its faults together with
    those inside the sections."""
    found: list[tuple[Place, str]] = []
    for table, key in (("bus", "name"), ("sensor", "id"), ("output", "id")):
        seen: set[object] = set()
        for index, row in _rows(raw, table):
            name = row.get(key)
            if isinstance(name, str) and name in seen:
                says = f"{key} = {name} 重复，改一个 / {key} = {name} twice: change one"
                found.append(((table, index, key), says))
            seen.add(name if isinstance(name, str) else None)
    outputs = {row.get("id") for _, row in _rows(raw, "output")}
    for index, row in _rows(raw, "sensor"):
        if isinstance(row.get("id"), str) and row["id"] in outputs:
            says = "输出已用此 id，两者同一主题 / an output has this id and topic: change one"
            found.append((("sensor", index, "id"), says))
    siren = raw.get("alarm", {}).get("siren") if isinstance(raw.get("alarm"), dict) else None
    if isinstance(siren, str) and siren not in outputs:
        there = faults.choose(siren, [name for name in outputs if isinstance(name, str)])
        says = (
            f"没有 [[output]] {siren}，请加上或改名 / no [[output]] {siren}, add it or use: {there}"
        )
        found.append((("alarm", "siren"), says))
    return found + _hanging(raw)


def _hanging(raw: Mapping[str, Any]) -> list[tuple[Place, str]]:
    """Sensors and outputs whose bus is not there, or of another kind."""
    kinds = {row.get("name"): row.get("kind") for _, row in _rows(raw, "bus")}
    names = [name for name in kinds if isinstance(name, str)]
    known: dict[str, Mapping[str, Any]] = {"sensor": SENSOR_KINDS, "output": OUTPUT_KINDS}
    found: list[tuple[Place, str]] = []
    for table in ("sensor", "output"):
        for index, row in _rows(raw, table):
            bus, kind = row.get("bus"), known[table].get(str(row.get("kind")))
            wanted = kind.section.hangs_on if kind else ()
            if not isinstance(bus, str):
                continue
            place: Place = (table, index, "bus")
            if bus not in kinds:
                there = faults.choose(bus, names)
                says = (
                    f"没有 [[bus]] {bus}，请加上或改名 / no [[bus]] {bus}, add it or use: {there}"
                )
                found.append((place, says))
            elif wanted and kinds[bus] not in wanted:
                needs = " / ".join(wanted)
                found.append((place, f"总线 {bus} 的 kind 应为 / bus {bus} must be: {needs}"))
    return found


def _rows(raw: Mapping[str, Any], table: str) -> list[tuple[int, dict[str, Any]]]:
    rows = raw.get(table, [])
    if not isinstance(rows, list):
        return []
    return [(index, row) for index, row in enumerate(rows) if isinstance(row, dict)]
