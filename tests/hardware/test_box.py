"""hardware/box.py: the checkpoint box passes; each broken rule is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge_agent.config import load
from hardware import box as rules
from hardware import box_config
from hardware.tables import Wire


def edited(table: list[dict[str, str]], at: int, **cells: str) -> list[dict[str, str]]:
    return [{**row, **cells} if index == at else row for index, row in enumerate(table)]


def test_the_box_keeps_every_rule():
    assert rules.faults() == []


@pytest.mark.parametrize(
    ("table", "at", "cells", "word"),
    [
        ("bays", 0, {"bay": "2"}, "each once"),
        ("bays", 0, {"path": "1-1.2"}, "one USB path"),
        ("bays", 0, {"path": "sda1"}, "agent refuses bay 1"),
        ("bays", 0, {"port": "P2"}, "not wired to HUB1 P2"),
        ("bays", 0, {"path": "1-2.1"}, "cannot be at"),
        ("bays", 0, {"path": "1-1.9"}, "is not port P1"),
        ("gpio", 0, {"line": "28"}, "not on the header"),
        ("gpio", 0, {"line": "14"}, "console"),
        ("gpio", 0, {"line": "6"}, "GPIO 6 is both"),
        ("gpio", 2, {"rests_at": "low"}, "while the Pi boots"),
        ("gpio", 2, {"line": "26"}, "wiring differ"),
        ("addresses", 0, {"address": "2"}, "share an address"),
        ("addresses", 0, {"address": "248"}, "outside 1 to 247"),
        ("addresses", 0, {"frame": "19200 8N2"}, "two frames"),
        ("addresses", 0, {"map": "nothing"}, "no register map"),
        ("addresses", 3, {"frame": "115200 8N1"}, "leaves the works"),
        ("addresses", 0, {"part": "D9"}, "wired and"),
    ],
)
def test_a_wrong_table_is_told(table, at, cells, word):
    box = rules.load()
    spoilt = replace(box, **{table: edited(getattr(box, table), at, **cells)})
    assert any(word in text for text in rules.faults(spoilt))


def without(box: rules.Box, extra: str, part: str) -> rules.Box:
    extras = {
        name: [mpn for mpn in fitted if (name, mpn) != (part, extra)]
        for name, fitted in box.wiring.extras.items()
    }
    return replace(box, wiring=replace(box.wiring, extras=extras))


def test_termination_belongs_at_both_ends_and_bias_at_the_adapter():
    box = rules.load()
    found = rules.faults(without(box, rules.TERMINATOR, "D4"))
    assert found == ["checkpoint box: rs485-b ends at ['D4', 'U485B'] and has 120 ohm at ['U485B']"]
    found = rules.faults(without(box, rules.BIAS, "U485A"))
    assert any("bias belongs at U485A" in text for text in found)


def test_a_star_is_no_bus():
    box = rules.load()
    stub = Wire("A", (("D1", "A"), ("D9", "A")))
    wires = [*box.wiring.wires, stub]
    pins = {**box.wiring.pins, "D9": ("A",)}
    spoilt = replace(box, wiring=replace(box.wiring, wires=wires, pins=pins))
    assert any("no line with two ends" in text for text in rules.faults(spoilt))


def drop(box: rules.Box, label: str, part: str) -> rules.Box:
    wires = [
        wire
        for wire in box.wiring.wires
        if not (wire.label == label and part in {name for name, _ in wire.ends})
    ]
    return replace(box, wiring=replace(box.wiring, wires=wires))


def test_every_arrester_is_earthed():
    found = rules.faults(drop(rules.load(), "PE", "SPD3"))
    assert found == ["checkpoint box: SPD3 has no earth wire to the bar"]


def test_outdoor_lines_pass_an_arrester():
    box = rules.load()
    direct = Wire("spk+", (("AMP", "SPK+"), ("HORN", "+")))
    spoilt = replace(box, wiring=replace(box.wiring, wires=[*box.wiring.wires, direct]))
    assert any("without an arrester" in text for text in rules.faults(spoilt))


def test_supplies_and_battery():
    box = rules.load()
    weak = {**box.rails, "5V1": replace(box.rails["5V1"], limit_ma=5000)}
    assert any("5V1 must give" in text for text in rules.faults(replace(box, rails=weak)))
    hungry = [replace(box.power[0], typical_ma=9000), *box.power[1:]]
    assert any("the battery carries" in text for text in rules.faults(replace(box, power=hungry)))


def test_the_agent_reads_what_the_wiring_says(tmp_path):
    """The generated part of agent.toml, taken by the agent's own reader, no fault found."""
    path = tmp_path / "agent.toml"
    head = '[checkpoint]\nid = "k-07"\ncounty = "c371500"\n\n'
    path.write_text(head + box_config.toml(rules.load()), encoding="utf-8")
    config = load(path)
    assert config.docks is not None
    assert [bay.number for bay in config.docks.bay] == list(range(1, 9))
    assert {bus.name for bus in config.bus} == {"rs485-a", "rs485-b", "pi"}
    assert {output.id for output in config.output} == {"siren", "barrier", "announce", "lamp"}
    assert len(config.sensor) > 12


def test_every_contact_is_read_or_switched_or_the_kernels():
    named = {row["name"] for row in rules.load().gpio}
    assert named == {
        *box_config.SENSORS,
        *box_config.OUTPUTS,
        *box_config.BARRIER,
        "ups_battery_low",
    }


def test_bom_is_held_against_both_drawings():
    box = rules.load()
    assert any("not ordered" in text for text in rules.faults(replace(box, bom=box.bom[1:])))
