"""Modbus registers -> a number. Pure; nothing passes through a binary float that need not.

Registers are 16-bit words, each big-endian on the wire; which word of a 32-bit value comes first,
and whether a maker swapped the bytes too, is in no standard and in every data sheet.
"""

from __future__ import annotations

import math
import struct
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

from edge_agent.section import Section

Type = Literal["bit", "int16", "uint16", "int32", "uint32", "float32", "bcd16", "bcd32"]
WORDS: dict[Type, int] = {
    **{"bit": 1, "int16": 1, "uint16": 1, "bcd16": 1},
    **{"int32": 2, "uint32": 2, "float32": 2, "bcd32": 2},
}


class Layout(Section):
    """How a number lies in registers."""

    type: Type = "uint16"
    word_order: Literal["big", "little"] = "big"
    byte_order: Literal["big", "little"] = "big"
    bit: int = 0  # which bit of a register, for type bit
    scale: Decimal = Decimal(1)
    offset: Decimal = Decimal(0)
    invalid: tuple[int, ...] = ()  # raw values that say: no reading


class NoValue(Exception):
    """The registers hold no number. str() is a sentence."""


def decode(words: list[int], layout: Layout) -> int:
    """Words as read -> value in 1e-3 unit: (raw * scale + offset) * 1000, half to even."""
    raw = _raw(words, layout)
    if raw in layout.invalid:
        raise NoValue(f"传感器报告无读数 / the device reports no reading ({raw})")
    scaled = (Decimal(raw) * layout.scale + layout.offset) * 1000
    return int(scaled.to_integral_value(ROUND_HALF_EVEN))


def _raw(words: list[int], layout: Layout) -> int | Decimal:
    if layout.word_order == "little":
        words = words[::-1]
    data = b"".join(word.to_bytes(2, layout.byte_order) for word in words)
    unsigned = int.from_bytes(data, "big")
    match layout.type:
        case "bit":
            return unsigned >> layout.bit & 1
        case "int16" | "int32":
            return int.from_bytes(data, "big", signed=True)
        case "uint16" | "uint32":
            return unsigned
        case "bcd16" | "bcd32":
            digits = data.hex()
            if not digits.isdecimal():
                raise NoValue(f"不是 BCD 码 / {digits} is no BCD: correct type")
            return int(digits)
        case "float32":
            return _single(data)


def _single(data: bytes) -> Decimal:
    """The shortest decimal that is this single: 12.3 stays 12.3, not 12.3000002."""
    number: float = struct.unpack(">f", data)[0]
    if not math.isfinite(number):
        raise NoValue("读数不是数 / the device sends no number: correct type or word_order")
    for digits in range(6, 9):
        text = format(number, f".{digits}g")
        if struct.pack(">f", float(text)) == data:
            return Decimal(text)
    return Decimal(format(number, ".9g"))
