"""Whether a receiver is there, at which speed, and whether it sees the sky."""

from __future__ import annotations

import argparse
import time
from typing import Any

import pynmea2
import serial

from edge_agent.buses.port import lasting_name
from edge_agent.buses.serial import Framer
from edge_agent.sensors.nmea import decode, shown

BAUDS = (9600, 38400, 115200, 4800)
TRY_S = 2.5  # two seconds of a 1 Hz receiver


def add(kinds: Any) -> None:
    ask = kinds.add_parser("gps", help="卫星接收机 find the receiver and its fix")
    ask.add_argument("port")
    ask.add_argument("--baud", type=int, help="only this speed")
    ask.add_argument("--seconds", type=float, default=30, help="how long to wait for a fix")
    ask.set_defaults(probe=probe)


def probe(args: argparse.Namespace) -> str | None:
    """The block to paste, None if no sentence checks at any speed."""
    for baud in [args.baud] if args.baud else BAUDS:
        with serial.Serial(args.port, baud, timeout=0.1) as port:
            good, _ = listen(port, TRY_S, stop_at_fix=False)
            print(f"{baud:>6}: {good} 句 sentences")
            if good:
                _, place = listen(port, args.seconds, stop_at_fix=True)
                print(place or "未定位，天线要见天 / no fix, the antenna must see the sky")
                return block(args.port, baud)
    return None


def listen(port: serial.Serial, seconds: float, *, stop_at_fix: bool) -> tuple[int, str | None]:
    """(sentences whose checksum is right, the last place)."""
    framer, until = Framer(b"\n", 200), time.monotonic() + seconds
    good, place = 0, None
    try:
        while time.monotonic() < until and not (stop_at_fix and place):
            for line in framer.feed(port.read(port.in_waiting or 1)):
                try:
                    fix = decode(line)
                except pynmea2.ParseError:
                    continue
                good += 1
                place = shown(fix) if fix else place
    except KeyboardInterrupt:
        print(" …")
    return good, place


def block(port: str, baud: int) -> str:
    return "\n".join(
        [
            *("[[bus]]", 'name = "gps"', 'kind = "serial"', f'port = "{lasting_name(port)}"'),
            *(f"baud = {baud}", "", "[[sensor]]", 'id = "place"', 'kind = "nmea"', 'bus = "gps"'),
        ]
    )
