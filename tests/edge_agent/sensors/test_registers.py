"""Registers -> numbers, against struct as the independent opinion; then the ready maps."""

from __future__ import annotations

import struct
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.sensors.modbus import ModbusSection, value_of
from edge_agent.sensors.modbus_maps import MAPS
from edge_agent.sensors.registers import WORDS, Layout, NoValue, decode

ORDERS = st.sampled_from(["big", "little"])


def words(data: bytes, word_order: str, byte_order: str) -> list[int]:
    """How a device with these orders puts big-endian `data` on the wire."""
    out = [int.from_bytes(data[at : at + 2], byte_order) for at in range(0, len(data), 2)]  # type: ignore[arg-type]
    return out if word_order == "big" else out[::-1]


@given(st.integers(-(2**31), 2**31 - 1), ORDERS, ORDERS)
def test_int32_in_any_order(number: int, word_order: Any, byte_order: Any) -> None:
    layout = Layout(type="int32", word_order=word_order, byte_order=byte_order)
    assert decode(words(struct.pack(">i", number), word_order, byte_order), layout) == number * 1000


@given(st.integers(-(2**15), 2**15 - 1))
def test_16_bits(number: int) -> None:
    raw = struct.unpack(">H", struct.pack(">h", number))[0]
    assert decode([raw], Layout(type="int16")) == number * 1000
    assert decode([raw], Layout(type="uint16")) == raw * 1000


@given(st.integers(-(10**6), 10**6), ORDERS)
def test_a_float_is_the_decimal_it_was(thousandths: int, word_order: Any) -> None:
    """What a device means by a single of up to seven digits comes out as meant."""
    text = Decimal(thousandths) / 1000
    layout = Layout(type="float32", word_order=word_order)
    assert decode(words(struct.pack(">f", text), word_order, "big"), layout) == thousandths


@pytest.mark.parametrize("bad", [b"\x7f\xc0\x00\x00", b"\x7f\x80\x00\x00", b"\xff\x80\x00\x00"])
def test_no_number_is_no_value(bad: bytes) -> None:
    with pytest.raises(NoValue, match="word_order"):
        decode(words(bad, "big", "big"), Layout(type="float32"))


def test_bcd() -> None:
    assert decode([0x1234], Layout(type="bcd16")) == 1_234_000
    assert decode([0x5678, 0x1234], Layout(type="bcd32", word_order="little")) == 12_345_678_000
    with pytest.raises(NoValue, match="BCD"):
        decode([0x12A4], Layout(type="bcd16"))


def test_bits() -> None:
    assert [decode([0b100], Layout(type="bit", bit=bit)) for bit in range(4)] == [0, 0, 1000, 0]


def test_scale_offset_and_half_to_even() -> None:
    assert decode([215], Layout(scale=Decimal("0.1"), offset=Decimal(-40))) == -18_500
    assert decode([5], Layout(scale=Decimal("0.0001"))) == 0
    assert decode([15], Layout(scale=Decimal("0.0001"))) == 2


def test_what_the_device_calls_no_reading() -> None:
    with pytest.raises(NoValue, match="no reading"):
        decode([0x7FFF], Layout(type="int16", invalid=(32767,)))


@pytest.mark.parametrize(("name", "point"), [(n, p) for n, m in MAPS.items() for p in m.points])
def test_every_point_of_every_map(name: str, point: str) -> None:
    assert MAPS[name].source and MAPS[name].line
    keys = {"id": "s", "kind": "modbus", "bus": "b", "map": name, "point": point}
    section = ModbusSection.model_validate(keys)
    assert section.told_as[0] == point
    count = 1 if section.function in (1, 2) else WORDS[section.type]
    assert value_of(section, [1] * count) != 0
    own = ModbusSection.model_validate({**keys, "measures": "mine", "unit": "x"})
    assert own.told_as == ("mine", "x")


def test_worked_examples_of_the_data_sheets() -> None:
    def read(name: str, point: str, cells: list[int]) -> int:
        keys = {"id": "s", "kind": "modbus", "bus": "b", "map": name, "point": point}
        return value_of(ModbusSection.model_validate(keys), cells)

    assert read("xy-md02", "temperature", [0xFF33]) == -20_500
    assert read("xy-md02", "humidity", [0x222]) == 54_600
    assert read("pzem-004t", "supply_voltage", [0x0898]) == 220_000
    assert read("pzem-004t", "supply_current", [0x03E8, 0x0000]) == 1_000
    assert read("pzem-004t", "supply_power", [0x0898, 0x0000]) == 220_000
    assert read("pzem-017", "battery_voltage", [0x2710]) == 100_000
