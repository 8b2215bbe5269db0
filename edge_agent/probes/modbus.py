"""Find slaves on a line, show their registers live."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from typing import Any

from pymodbus.client import ModbusSerialClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from edge_agent.buses.port import lasting_name
from edge_agent.sensors.modbus_maps import MAPS

BAUDS = (9600, 4800, 19200, 115200, 38400, 2400)
LOOK = {3: 10, 4: 10, 1: 8, 2: 8}  # function -> how many from address 0
ROUND_S = 1.0

Cells = dict[tuple[int, int], int]  # (function, address) -> value


def add(kinds: Any) -> None:
    ask = kinds.add_parser("modbus", help="RS-485 上有哪些从站 find slaves, show registers live")
    ask.add_argument("port")
    ask.add_argument("--baud", type=int, help="only this speed")
    ask.add_argument("--parity", choices="NEO", default="N")
    ask.add_argument("--slaves", type=slaves, default=slaves("1-64"), help="1-247, or 1,3,8")
    ask.add_argument("--timeout", type=float, default=0.1, help="seconds a slave may think")
    ask.add_argument("--seconds", type=float, default=30, help="how long to show registers")
    ask.set_defaults(probe=probe)


def slaves(text: str) -> list[int]:
    """ "1-3,7" -> [1, 2, 3, 7]. Raises ValueError."""
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    if not all(1 <= slave <= 247 for slave in found):
        raise ValueError("slaves are 1 to 247")
    return found


def probe(args: argparse.Namespace) -> str | None:
    """The block to paste, None if nobody answers."""
    for baud in [args.baud] if args.baud else BAUDS:
        client = ModbusSerialClient(
            args.port, baudrate=baud, parity=args.parity, timeout=args.timeout, retries=0
        )
        if not client.connect():
            continue
        with client:
            print(f"{baud} {args.parity}: ", end="", flush=True)
            found = find(client, args.slaves)
            if found:
                seen = show(client, found, args.seconds)
                return block(args.port, baud, args.parity, seen)
    return None


def find(client: ModbusSerialClient, among: Iterable[int]) -> list[int]:
    """Who answers; an exception code is an answer too."""
    found: list[int] = []
    try:
        for slave in among:
            answered = _ask(client, slave, 3, 0, 1) is not None
            print(f" [{slave}]" if answered else ".", end="", flush=True)
            if answered:
                found.append(slave)
    except KeyboardInterrupt:
        print(" …", end="")
    print()
    return found


def show(client: ModbusSerialClient, found: list[int], seconds: float) -> dict[int, Cells]:
    """Print each slave's cells once a second, with a mark at what has changed."""
    seen: dict[int, Cells] = {slave: {} for slave in found}
    until = time.monotonic() + seconds
    try:
        while True:
            for slave in found:
                now = cells(client, slave)
                print(_row(slave, now, seen[slave]), flush=True)
                seen[slave] |= now
            left = until - time.monotonic()
            if left <= 0:
                return seen
            time.sleep(min(ROUND_S, left))
    except KeyboardInterrupt:
        return seen


def cells(client: ModbusSerialClient, slave: int) -> Cells:
    """What can be read from address 0 on, with every function; one by one where a block is
    refused."""
    found: Cells = {}
    for function, count in LOOK.items():
        if block := _values(_ask(client, slave, function, 0, count), count):
            found |= {(function, at): value for at, value in enumerate(block)}
            continue
        for at in range(count):
            if one := _values(_ask(client, slave, function, at, 1), 1):
                found[function, at] = one[0]
    return found


def _ask(
    client: ModbusSerialClient, slave: int, function: int, address: int, count: int
) -> ModbusPDU | None:
    read = {
        1: client.read_coils,
        2: client.read_discrete_inputs,
        3: client.read_holding_registers,
        4: client.read_input_registers,
    }[function]
    try:
        return read(address, count=count, device_id=slave)
    except ModbusException:
        return None


def _values(answer: ModbusPDU | None, count: int) -> list[int]:
    if answer is None or answer.isError():
        return []
    return [int(value) for value in (answer.registers or answer.bits)[:count]]


def _row(slave: int, now: Cells, before: Cells) -> str:
    parts: list[str] = []
    for function in LOOK:
        values = [
            f"{value}{'*' if before.get((f, at), value) != value else ''}"
            for (f, at), value in now.items()
            if f == function
        ]
        if values:
            parts.append(f"{function:02d}: {' '.join(values)}")
    return f"slave {slave:3}  " + "   ".join(parts or ["-"])


def block(port: str, baud: int, parity: str, seen: dict[int, Cells]) -> str:
    """One bus, and of each slave its first register; the maps whose every point could be read."""
    lines = ["[[bus]]", 'name = "rs485"', 'kind = "modbus"', f'port = "{lasting_name(port)}"']
    lines += [f"baud = {baud}", f'parity = "{parity}"']
    for slave, found in seen.items():
        function, address = min(found, default=(3, 0))
        fitting = [
            name
            for name, known in MAPS.items()
            if all((p["function"], p["address"]) in found for p in known.points.values())
        ]
        lines += ["", "[[sensor]]", f'id = "slave-{slave}"', 'kind = "modbus"', 'bus = "rs485"']
        lines += [f"slave = {slave}", f"function = {function}", f"address = {address}"]
        if fitting:
            lines += [f"# 可能是 / may be: map = one of {', '.join(fitting)}"]
    return "\n".join(lines)
