"""What a device prints, and at which speed it makes sense."""

from __future__ import annotations

import argparse
import time
from typing import Any, NamedTuple

import serial

from edge_agent.buses.port import lasting_name
from edge_agent.buses.serial import CHUNK, Framer
from edge_agent.sensors.patterns import PATTERNS

BAUDS = (9600, 115200, 4800, 19200, 38400, 57600, 2400)
ENCODINGS = ("utf-8", "gbk")


class Heard(NamedTuple):
    """What came at one speed."""

    baud: int
    lines: list[bytes]
    encoding: str | None  # in which every line is text
    pattern: str | None  # which most lines fit
    fits: int


def add(kinds: Any) -> None:
    ask = kinds.add_parser("serial", help="设备输出的行 what a device prints, at which speed")
    ask.add_argument("port")
    ask.add_argument("--baud", type=int, help="only this speed")
    ask.add_argument("--seconds", type=float, default=5, help="how long to listen at each speed")
    ask.set_defaults(probe=probe)


def probe(args: argparse.Namespace) -> str | None:
    """The block to paste, None if no speed gives text."""
    heard: list[Heard] = []
    try:
        for baud in [args.baud] if args.baud else BAUDS:
            heard.append(judge(baud, listen(args.port, baud, args.seconds)))
            _print(heard[-1])
            if heard[-1].pattern:
                break
    except KeyboardInterrupt:
        print(" …")
    texts = [h for h in heard if h.encoding]
    if not texts:
        return None
    return block(args.port, max(texts, key=lambda h: (h.fits, len(h.lines))))


def listen(port: str, baud: int, seconds: float) -> list[bytes]:
    """Complete lines; also what came without an end, so that its nature shows."""
    framer, until = Framer(b"\n", 512), time.monotonic() + seconds
    lines: list[bytes] = []
    with serial.Serial(port, baud, timeout=0.1) as open_port:
        while time.monotonic() < until:
            lines += framer.feed(open_port.read(min(open_port.in_waiting or 1, CHUNK)))
    return [line for line in lines if line.strip()]


def judge(baud: int, lines: list[bytes]) -> Heard:
    encoding = next((e for e in ENCODINGS if lines and all(_is_text(x, e) for x in lines)), None)
    if encoding is None:
        return Heard(baud, lines, None, None, 0)
    texts = [line.decode(encoding) for line in lines]
    fits = {
        name: sum(row.regex.search(text) is not None for text in texts)
        for name, row in PATTERNS.items()
    }
    best = max(fits, key=lambda name: fits[name])
    return Heard(baud, lines, encoding, best if 2 * fits[best] > len(lines) else None, fits[best])


def _is_text(line: bytes, encoding: str) -> bool:
    try:
        text = line.strip().strip(b"\x02\x03").decode(encoding)
    except UnicodeDecodeError:
        return False
    return all(c.isprintable() or c == "\t" for c in text)


def _print(heard: Heard) -> None:
    what = heard.pattern or heard.encoding or "-"
    print(f"{heard.baud:>6}: {len(heard.lines)} 行 lines, {what}")
    for line in heard.lines[:5]:
        print("        ", line.decode(heard.encoding) if heard.encoding else ascii(line[:60]))


def block(port: str, heard: Heard) -> str:
    which = f'pattern = "{heard.pattern}"'
    if heard.pattern is None:
        which = "regex = '(?P<text>.+)'  # 取哪一部分 / which part of the line? (?P<value>…)"
    return "\n".join(
        [
            *("[[bus]]", 'name = "line"', 'kind = "serial"', f'port = "{lasting_name(port)}"'),
            *(f"baud = {heard.baud}", "", "[[sensor]]", f'id = "{heard.pattern or "line"}"'),
            *('kind = "serial_line"', 'bus = "line"', which, f'encoding = "{heard.encoding}"'),
        ]
    )
